import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { simulate } from "../../agent/simulator/simulate.ts";
import { checking, policyFile } from "../policies/simulation.ts";

/** Of a slow machine; a fast one needs a third of it. */
const MOST_SECONDS = 25;

test("a day of a policy with 50,000 checks is over in seconds", { timeout: 120_000 }, async (t) => {
  const check = `every: "1728ms", fall: 3, track: { routers: { VI_1: -50 } }, async run(ctx) {
    return (await ctx.http.get("http://127.0.0.1/")).status === 200;
  }`;
  const file = policyFile(checking('http: ["http://127.0.0.1/*"]', check));
  const sim = await simulate(file, { routers: { VI_1: { priority: 100 } } });
  // Others run beside it: its own time is what counts.
  const before = process.cpuUsage();
  for (let hour = 0; hour < 24; hour += 1) {
    sim.http("http://127.0.0.1/").replies(hour % 6 === 5 ? 500 : 200);
    await sim.advance("1h");
  }
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  const { runs } = sim.check("it");
  t.diagnostic(`${runs} checks in ${seconds.toFixed(1)} s of processor time`);
  assert.ok(Math.abs(runs - 50_000) < 10, `${runs}`);
  assert.equal(sim.history("VI_1").length, 8, "four outages, and the start");
  assert.deepEqual(sim.errors, []);
  assert.ok(seconds < MOST_SECONDS, `it took ${seconds} s`);
});
