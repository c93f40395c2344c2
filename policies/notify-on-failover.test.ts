import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

test("the chat room hears who has the address", async () => {
  const sim = await simulate("./notify-on-failover.ts", {
    node: "lb1",
    routers: { VI_1: { addresses: ["192.0.2.10/24"] } },
  });
  await sim.transition("VI_1", "active", "active-down-timer");
  await sim.transition("VI_1", "fault");
  await sim.transition("VI_1", "backup");
  await sim.advance("1s");
  assert.deepEqual(
    sim.webhooks.map(({ name, title, severity }) => [name, title, severity]),
    [
      ["chat", "VI_1 is active on lb1", "info"],
      ["chat", "VI_1 is fault on lb1", "warning"],
    ],
  );
  assert.match(sim.webhooks[0]?.text ?? "", /backup → active: active-down-timer, priority 100/);
  assert.match(sim.webhooks[0]?.text ?? "", /Addresses: 192\.0\.2\.10/);
  assert.deepEqual(sim.errors, []);
});
