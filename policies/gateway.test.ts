import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

test("a gateway that does not answer costs 60 after three probes", async () => {
  const sim = await simulate("./gateway.ts", { routers: { VI_1: { priority: 100 } } });
  sim.gateway("192.0.2.1").replies({ after: "2ms" });
  await sim.advance("10s");
  assert.equal(sim.check("reachable").reason, "answered in 2 ms");

  sim.gateway("192.0.2.1").fails("timeout");
  await sim.advance("2s");
  assert.equal(sim.router("VI_1").priority, 100);
  await sim.advance("2s");
  assert.equal(sim.router("VI_1").priority, 40);

  sim.gateway("192.0.2.1").replies();
  await sim.advance("4s");
  assert.equal(sim.router("VI_1").priority, 100);
  assert.deepEqual(sim.errors, []);
});

test("a policy that is stuck moves nothing", async () => {
  const sim = await simulate("./gateway.ts", { routers: { VI_1: { priority: 100 } } });
  sim.gateway("192.0.2.1").replies();
  await sim.advance("10s");
  sim.kill();
  await sim.advance("1m");
  assert.equal(sim.check("reachable").stale, true);
  assert.equal(sim.router("VI_1").priority, 100);
});
