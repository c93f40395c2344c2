import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

const PAGE = "http://127.0.0.1/";
const active = {
  routers: { VI_1: { priority: 150, state: "active" } },
  processes: { nginx: 2 },
} as const;

test("an nginx that does not answer costs 50, until it answers again", async () => {
  const sim = await simulate("./nginx.ts", active);
  sim.http(PAGE).replies(200);
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").priority, 150);

  sim.http(PAGE).hangs();
  await sim.advance("1500ms");
  assert.equal(sim.router("VI_1").priority, 150, "once is not enough");
  await sim.advance("2s");
  assert.equal(sim.router("VI_1").priority, 100);

  sim.http(PAGE).replies(404);
  await sim.advance("3s");
  assert.equal(sim.router("VI_1").priority, 150, "a page that is not there is an answer");
  assert.deepEqual(sim.errors, []);
});

test("the death of nginx is a fault at once, and told by mail", async () => {
  const sim = await simulate("./nginx.ts", active);
  sim.http(PAGE).replies(200);
  await sim.advance("10300ms");

  sim.processes("nginx", 0);
  await sim.advance("50ms");
  assert.equal(sim.router("VI_1").state, "fault");
  assert.equal(sim.mails[0]?.subject, "VI_1 is fault on node1");

  sim.processes("nginx", 2);
  await sim.advance("50ms");
  assert.equal(sim.router("VI_1").state, "backup");
});
