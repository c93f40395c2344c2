import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

const STATS = "http://127.0.0.1:8404/stats;csv";
const world = { routers: { VI_1: { priority: 150 } }, processes: { haproxy: 1 } };

/** As haproxy writes it, with the columns that matter. */
const statistics = (web: string, api: string): string =>
  [
    "# pxname,svname,status",
    "public,FRONTEND,OPEN",
    "web,srv1,UP",
    `web,BACKEND,${web}`,
    `api,BACKEND,${api}`,
    "",
  ].join("\n");

test("one backend that is down is counted, the last one costs 60", async () => {
  const sim = await simulate("./haproxy.ts", world);
  sim.http(STATS).replies(200, statistics("UP", "DOWN"));
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").priority, 150);
  assert.equal(sim.metrics["backends_down"], 1);

  sim.http(STATS).replies(200, statistics("DOWN", "DOWN"));
  await sim.advance("5s");
  assert.equal(sim.router("VI_1").priority, 90);
  assert.equal(sim.check("backends").reason, "down: web, api");
  assert.deepEqual(sim.errors, []);
});

test("statistics that nobody serves count as no backend", async () => {
  const sim = await simulate("./haproxy.ts", world);
  sim.http(STATS).replies(503);
  await sim.advance("5s");
  assert.equal(sim.router("VI_1").priority, 90);
});

test("without haproxy it is a fault", async () => {
  const sim = await simulate("./haproxy.ts", world);
  sim.http(STATS).replies(200, statistics("UP", "UP"));
  await sim.advance("5s");
  sim.processes("haproxy", 0);
  await sim.advance("50ms");
  assert.equal(sim.router("VI_1").state, "fault");
});
