import assert from "node:assert/strict";
import { test } from "node:test";
import { balancing, Rig, real, web } from "./rig.ts";

test("settings of the kernel that do not fit are told once, and again when others do not", async (context) => {
  const one = new Rig();
  context.after(() => one.dispose());
  const told = (): readonly string[] =>
    one.events.filter(({ subject }) => subject === "ip_vs").map(({ message }) => message);
  const values = { "net.ipv4.vs.expire_nodest_conn": "0", "net.ipv4.ip_forward": "0" };
  one.kernelSettings = { release: "6.1.0", masquerades: false, values };
  await one.configure(balancing([web()]));
  await one.configure(balancing([web({ scheduler: "rr" })]));
  assert.equal(told().length, 1);
  assert.match(
    told()[0] ?? "",
    /fails, .* sysctl -w net\.ipv4\.vs\.expire_nodest_conn=1 mends it$/,
  );
  const nat = { forwarding: { kind: "nat" } } as const;
  await one.configure(balancing([web({ realServers: [real(1, nat)] })]));
  assert.match(
    told()[1] ?? "",
    /ip_forward is 0, net\.ipv4\.vs\.expire_nodest_conn is 0\): holdfast check/,
  );
  one.kernelSettings = { ...one.kernelSettings, values: {} };
  await one.configure(balancing([web()]));
  assert.equal(told().length, 2);
});
