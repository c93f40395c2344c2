import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

test("the address follows the primary", async () => {
  const sim = await simulate("./postgresql-primary.ts");
  sim.exec("in-recovery").exits(0, "t\n");
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").state, "fault");
  assert.equal(sim.check("primary").reason, "standby");

  sim.exec("in-recovery").exits(0, "f\n");
  await sim.advance("3s");
  assert.equal(sim.router("VI_1").state, "backup", "promoted: it may become active");
  assert.deepEqual(sim.errors, []);
});

test("one answer that is missing is forgiven, a second one is not", async () => {
  const sim = await simulate("./postgresql-primary.ts");
  sim.exec("in-recovery").exits(0, "f\n");
  await sim.advance("10s");
  sim.exec("in-recovery").exits(2);
  await sim.advance("2s");
  assert.equal(sim.router("VI_1").state, "backup");
  await sim.advance("2s");
  assert.equal(sim.router("VI_1").state, "fault");
  assert.equal(sim.check("primary").reason, "psql ended with status 2");
});
