import assert from "node:assert/strict";
import { test } from "node:test";
import { balancing, Rig, web } from "./rig.ts";

test("ip_vs is that of its namespace; another one counts from the next start on", {
  timeout: 20_000,
}, async (context) => {
  const one = new Rig();
  context.after(() => one.dispose());
  await one.configure(balancing([web()], { ipvsNamespace: "vips" }));
  assert.equal(one.namespace, "vips");
  assert.deepEqual(one.logs, []);
  await one.configure(balancing([web()], { ipvsNamespace: "others" }));
  assert.equal(one.opened, 1);
  assert.match(one.logs.join(), /net_namespace_ipvs takes effect when/);
  await one.configure(balancing([web()], { ipvsNamespace: "others" }));
  assert.equal(one.logs.length, 1);
  one.restart();
  await one.configure(balancing([web()], { ipvsNamespace: "" }));
  assert.equal(one.namespace, "");
});
