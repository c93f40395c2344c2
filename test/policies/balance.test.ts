import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { World } from "../../sdk/testing.ts";
import { another, simulated } from "./simulation.ts";

const WORLD: World = {
  services: {
    web: { realServers: { "10.0.0.1:80": { weight: 5 }, "[2001:db8::2]:80": { weight: 5 } } },
  },
};

const members = (run: string, more = ""): string =>
  `permissions: { control: { services: ["w*"] } }, balance: { every: "1s", ${more} run${run} },`;

const evenly = (weight: number): string =>
  members(
    `: (_ctx, { realServers }) => Object.fromEntries(realServers.map(({ key }) => [key, ${weight}]))`,
  );

describe("a simulated service", () => {
  test("is shown, and has the weights that it is given, by what holds of it", async () => {
    const sim = await simulated(
      members(`(ctx, service) {
        ctx.log.info("seen", { service });
        return { "10.0.0.1:80": service.realServers[1]?.up === true ? 7 : 9 };
      }`),
      WORLD,
    );
    const weights = () => sim.service("web").realServers.map(({ weight }) => weight);
    await sim.advance("1s");
    assert.deepEqual(weights(), [7, 5]);
    const seen = sim.logs[0]?.fields["service"] as { readonly name: string };
    assert.equal(seen.name, "web");
    // At once, whatever the period.
    await sim.realServer("web/[2001:db8::2]:80", { up: false, reason: "refused" });
    await sim.advance("100ms");
    assert.deepEqual(weights(), [9, 0]);
    await sim.realServer("web/10.0.0.1:80", { order: "drain" });
    await sim.advance("2s");
    assert.deepEqual(weights(), [0, 0]);
    await sim.realServer("web/10.0.0.1:80", { order: null, activeConnections: 3 });
    await sim.advance("2s");
    assert.deepEqual(weights(), [9, 0]);
    assert.equal(sim.service("web").realServers[0]?.activeConnections, 3);
    assert.deepEqual(sim.errors, []);
    const told = sim.timeline.filter(({ kind }) => kind === "service").map((each) => each.message);
    assert.ok(told.includes("[2001:db8::2]:80 is down: refused"), told.join("\n"));
    assert.ok(told.includes("weights by the policy: 10.0.0.1:80 9, [2001:db8::2]:80 0"));
  });

  test("keeps its weights over a reload, and has its own again when the policy is stuck", async () => {
    const sim = await simulated(evenly(40), WORLD);
    await sim.advance("1s");
    const weighed = () => sim.timeline.filter(({ message }) => message.startsWith("weights"));
    assert.equal(weighed().length, 1);
    assert.deepEqual(await sim.reload(another(`about: "x", ${evenly(40)}`)), { accepted: true });
    await sim.advance("10s");
    assert.equal(weighed().length, 1);
    const refused = await sim.reload(another(members(': () => ({ "10.9.9.9:80": 1 })')));
    assert.ok(!refused.accepted);
    assert.match(refused.problems.join(), /balance web failed: 10\.9\.9\.9:80 is no real server/);
    assert.equal(weighed().length, 1);
    sim.kill();
    await sim.advance("29s");
    assert.equal(weighed().length, 1);
    await sim.advance("2s");
    assert.match(weighed().at(-1)?.message ?? "", /as configured: 10\.0\.0\.1:80 5/);
  });

  test("what throws is a mistake of the policy, and changes nothing", async () => {
    const sim = await simulated(members("() { throw new Error('odd') }"), WORLD);
    await sim.advance("3s");
    assert.equal(sim.errors[0]?.where, "balance web");
    assert.deepEqual(
      sim.service("web").realServers.map(({ weight }) => weight),
      [5, 5],
    );
  });

  test("without control.services there is no balance", async () => {
    const refused = simulated('balance: { every: "1s", run: () => ({}) },', WORLD);
    await assert.rejects(refused, /no service whose weights it could decide/);
  });

  test("what there is not is said", async () => {
    const sim = await simulated(evenly(1), WORLD);
    assert.throws(() => sim.service("wbe"), /there is no service wbe; there is web/);
    await assert.rejects(
      sim.realServer("web/10.0.0.9:80", {}),
      /has no real server 10\.0\.0\.9:80/,
    );
    const odd = simulated(evenly(1), { services: { web: { realServers: { web1: {} } } } });
    await assert.rejects(odd, /web1 is no real server/);
  });
});
