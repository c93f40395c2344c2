import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

const table = (percent: number): string => `Use% Mounted on\n 12% /\n ${percent}% /var\n`;

test("load and a full disk cost 60 each", async () => {
  const sim = await simulate("./disk-and-load.ts", {
    routers: { VI_1: { priority: 150 } },
    files: { "/proc/loadavg": "0.50 0.40 0.30 1/234 5678\n" },
  });
  sim.exec("df").exits(0, table(40));
  await sim.advance("1m");
  assert.equal(sim.router("VI_1").priority, 150);
  assert.equal(sim.metrics["load"], 0.5);

  sim.file("/proc/loadavg").is("20.11 4.00 2.00 9/234 5678\n");
  await sim.advance("8s");
  assert.equal(sim.router("VI_1").priority, 150, "a short peak is no overload");
  await sim.advance("10s");
  assert.equal(sim.router("VI_1").priority, 90);

  sim.exec("df").exits(0, table(99));
  await sim.advance("30s");
  assert.equal(sim.router("VI_1").priority, 30);
  assert.equal(sim.check("disk").reason, "99% /var");
  assert.deepEqual(sim.errors, []);
});
