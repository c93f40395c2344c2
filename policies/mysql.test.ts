import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

test("a server that takes writes may have the address", async () => {
  const sim = await simulate("./mysql.ts");
  sim.exec("read-only").exits(0, "0\n");
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").state, "backup");

  sim.exec("read-only").exits(0, "1\n");
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").state, "fault");
  assert.equal(sim.check("writable").reason, "read-only");
  assert.deepEqual(sim.errors, []);
});

test("a client that hangs counts as a server that is gone", async () => {
  const sim = await simulate("./mysql.ts");
  sim.exec("read-only").exits(0, "0\n");
  await sim.advance("10s");
  sim.exec("read-only").hangs();
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").state, "fault");
});
