import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

const active = { node: "lb1", routers: { VI_1: { state: "active" } } } as const;

test("a rival that goes on is an alarm, and its end is told", async () => {
  const sim = await simulate("./split-brain-alarm.ts", active);
  await sim.advance("1m");
  await sim.peer("VI_1", { address: "192.0.2.2", priority: 90 });
  await sim.advance("10s");
  assert.deepEqual(
    sim.webhooks.map(({ title, severity }) => `${severity}: ${title}`),
    ["critical: Two nodes are active"],
  );
  assert.equal(sim.webhooks[0]?.text, "lb1 is active and hears VI_1 from 192.0.2.2.");

  await sim.peer("VI_1", { address: "192.0.2.2", heard: false });
  await sim.advance("1m");
  assert.equal(sim.webhooks[1]?.severity, "resolved");
  assert.deepEqual(sim.errors, []);
});

test("who gave the address up just before the first look is no rival", async () => {
  const sim = await simulate("./split-brain-alarm.ts", active);
  await sim.peer("VI_1", { address: "192.0.2.2", priority: 90 });
  await sim.advance("3s");
  await sim.peer("VI_1", { address: "192.0.2.2", heard: false });
  await sim.advance("1m");
  assert.deepEqual(sim.webhooks, []);
});

test("what a backup hears is as it should be", async () => {
  const sim = await simulate("./split-brain-alarm.ts", { routers: { VI_1: {} } });
  await sim.peer("VI_1", { address: "192.0.2.2", priority: 200 });
  await sim.advance("1m");
  assert.deepEqual(sim.webhooks, []);
});
