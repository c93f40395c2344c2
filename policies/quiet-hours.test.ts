import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

const routers = { VI_1: {} };

test("by day the chat room hears of each change", async () => {
  const sim = await simulate("./quiet-hours.ts", { routers, start: Date.UTC(2025, 0, 1, 14) });
  await sim.transition("VI_1", "active");
  await sim.advance("1s");
  assert.deepEqual(
    sim.webhooks.map(({ name, text }) => `${name}: ${text}`),
    ["chat: VI_1: active (active-down-timer)"],
  );
});

test("at night a fault that passes wakes nobody, one that lasts does, and its end is told", async () => {
  const sim = await simulate("./quiet-hours.ts", { routers, start: Date.UTC(2025, 0, 1, 2) });
  await sim.transition("VI_1", "fault");
  await sim.advance("5m");
  await sim.transition("VI_1", "backup");
  await sim.advance("30m");
  assert.deepEqual(sim.webhooks, []);

  await sim.transition("VI_1", "fault");
  await sim.advance("11m");
  await sim.transition("VI_1", "backup");
  await sim.advance("1m");
  assert.deepEqual(
    sim.webhooks.map(({ name, severity }) => `${name}: ${severity}`),
    ["pager: critical", "pager: resolved"],
  );
  assert.deepEqual(sim.errors, []);
});

test("a fault lasts also over a new version of the policy", async () => {
  const sim = await simulate("./quiet-hours.ts", { routers, start: Date.UTC(2025, 0, 1, 2) });
  await sim.transition("VI_1", "fault");
  await sim.advance("6m");
  assert.deepEqual(await sim.reload(), { accepted: true });
  await sim.advance("6m");
  assert.equal(sim.webhooks[0]?.text, "In fault for ten minutes: VI_1");
});
