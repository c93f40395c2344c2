import assert from "node:assert/strict";
import { test } from "node:test";
import { simulate } from "holdfast/sdk/testing";

const WEB = "[192.0.2.1]:tcp:80";
const server = (last: number): string => `${WEB}/10.0.0.${last}:80`;

const start = async () =>
  await simulate("./least-latency.ts", {
    services: {
      [WEB]: {
        realServers: {
          "10.0.0.1:80": { weight: 100, latencyMs: 20 },
          "10.0.0.2:80": { weight: 100, latencyMs: 20 },
          "10.0.0.3:80": { weight: 50, latencyMs: 20 },
        },
      },
    },
  });

type Sim = Awaited<ReturnType<typeof start>>;
const weights = (sim: Sim) => sim.service(WEB).realServers.map(({ weight }) => weight);

test("who takes twice as long gets half of its weight, little by little", async () => {
  const sim = await start();
  await sim.advance("10s");
  assert.deepEqual(weights(sim), [100, 100, 50]);
  await sim.realServer(server(2), { latencyMs: 40 });
  await sim.advance("2s");
  assert.deepEqual(weights(sim), [100, 90, 50]);
  await sim.advance("1m");
  assert.deepEqual(weights(sim), [100, 50, 50]);
  // Down for a while, it comes back as it was.
  await sim.realServer(server(2), { up: false });
  await sim.advance("1m");
  assert.deepEqual(weights(sim), [100, 0, 50]);
  await sim.realServer(server(2), { up: true, latencyMs: 20 });
  await sim.advance("1s");
  assert.deepEqual(weights(sim)[1], 60);
  await sim.advance("1m");
  assert.deepEqual(weights(sim), [100, 100, 50]);
  assert.deepEqual(sim.errors, []);
});

test("noise is no difference, and the slowest keeps a tenth", async () => {
  const sim = await start();
  await sim.realServer(server(1), { latencyMs: 0.2 });
  await sim.realServer(server(2), { latencyMs: 1.9 });
  await sim.realServer(server(3), { latencyMs: 900 });
  await sim.advance("2m");
  assert.deepEqual(weights(sim), [100, 100, 5]);
  sim.kill();
  await sim.advance("1m");
  assert.deepEqual(weights(sim), [100, 100, 50]);
});
