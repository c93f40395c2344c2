import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

const FILE = "/run/holdfast/maintenance";

test("the file puts the node behind the others while it is there", async () => {
  const sim = await simulate("./maintenance-file.ts", { routers: { VI_1: { priority: 250 } } });
  sim.file(FILE).gone();
  await sim.advance("5s");
  assert.equal(sim.router("VI_1").priority, 250);

  sim.file(FILE).is("");
  await sim.advance("2s");
  assert.equal(sim.router("VI_1").priority, 50);
  assert.equal(sim.router("VI_1").state, "backup", "it still takes over when it is the only one");

  sim.file(FILE).gone();
  await sim.advance("2s");
  assert.equal(sim.router("VI_1").priority, 250);
  assert.deepEqual(sim.errors, []);
});
