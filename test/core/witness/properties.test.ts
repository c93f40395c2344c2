import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { micros, milliseconds, seconds } from "../../../agent/core/time.ts";
import type { WitnessConfig } from "../../../agent/core/witness/witness.ts";
import {
  CLOCK_RATE_BOUND,
  leaseTime,
  witnessProblem,
} from "../../../agent/core/witness/witness.ts";
import type { Act, Deed, Fate } from "./world.ts";
import { World } from "./world.ts";

const anyConfig: fc.Arbitrary<WitnessConfig> = fc
  .record({
    mode: fc.constantFrom("required", "advisory"),
    ttl: fc.integer({ min: 500, max: 10_000 }).map(milliseconds),
    part: fc.double({ min: 0.02, max: 0.3, noNaN: true }),
    margin: fc.constantFrom(0, 0, 1, 50).map(milliseconds),
    patience: fc.integer({ min: 0, max: 2_000 }).map(milliseconds),
  })
  .map(({ part, ...times }) => {
    const requestTime = micros(times.ttl * part);
    const config = { ...times, requestTime, renewEvery: micros(1) };
    const longest = witnessProblem({ ...config, renewEvery: seconds(100) })?.longestRenewEvery;
    return { ...config, renewEvery: longest ?? micros(1) };
  });

/** Rates of two clocks differ by no more than the bound when each is within its half. */
const anyRate = fc
  .oneof(fc.constantFrom(-1, 1), fc.double({ min: -1, max: 1, noNaN: true }))
  .map((part) => 1 + (part * CLOCK_RATE_BOUND) / 2);

/** Parts of the ttl: mostly quick, at times later than anything waits for. */
const anyDelay = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: 0, max: 0.05, noNaN: true }) },
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1.5, noNaN: true }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const anyFates = fc.array(fc.record({ there: anyDelay, back: anyDelay }), {
  minLength: 1,
  maxLength: 30,
});

const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  fc.constantFrom("wanted", "wanted", "not-wanted", "changed", "crash").map((kind) => ({ kind })),
  fc.integer({ min: 1, max: 15_000_000 }).map((time) => ({ kind: "stall" as const, time })),
);
const anyAct: fc.Arbitrary<Act> = fc.record({
  after: fc.integer({ min: 0, max: 4_000_000 }),
  host: fc.integer({ min: 0, max: 1 }),
  deed: anyDeed,
});

/** The list again and again. */
function turns(fates: readonly Fate[], unit: number): () => Fate {
  let at = 0;
  const scaled = (delay: number | undefined) => (delay === undefined ? undefined : delay * unit);
  return () => {
    const { there, back } = fates[at++ % fates.length] as Fate;
    return { there: scaled(there), back: scaled(back) };
  };
}

test("never two grants at one true time, and epochs grow", { timeout: 20_000 }, () => {
  let grants = 0;
  fc.assert(
    fc.property(
      anyConfig,
      fc.tuple(anyRate, anyRate, anyRate),
      anyFates,
      fc.array(anyAct, { maxLength: 25 }),
      (config, [one, two, store], fates, acts) => {
        const world = new World(config, [one, two], store, turns(fates, config.ttl));
        for (const host of [0, 1]) world.act(host, { kind: "wanted" });
        for (const { after, host, deed } of acts) {
          world.run(after);
          world.act(host, deed);
        }
        world.run(config.ttl * 3);
        const spans = [...world.spans].sort((a, b) => a.from - b.from);
        grants += spans.length;
        for (const [at, span] of spans.entries()) {
          // Nobody could have had it, however eager. A microsecond for clocks of whole ones.
          const keptUntil = world.keptUntil.get(span.epoch) ?? 0;
          assert.ok(span.to <= keptUntil + 1, `open until ${span.to}, kept until ${keptUntil}`);
          for (const before of spans.slice(0, at)) {
            if (before.host === span.host) continue;
            assert.ok(before.to <= span.from, `${JSON.stringify(before)} ${JSON.stringify(span)}`);
            assert.ok(before.epoch < span.epoch);
          }
        }
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(grants > 400, `only ${grants} grants`);
});

test("one of two has it, without a gap, while at most one request in a row is lost", () => {
  fc.assert(
    fc.property(anyConfig, anyRate, fc.boolean(), (config, rate, answerIsLost) => {
      const quick = config.requestTime / config.ttl / 4;
      const lost = answerIsLost
        ? { there: quick, back: undefined }
        : { there: undefined, back: undefined };
      const fates = [{ there: quick, back: quick }, lost];
      const world = new World(config, [rate], 1, turns(fates, config.ttl));
      world.act(0, { kind: "wanted" });
      world.run(config.ttl * 20);
      const [span] = world.spans;
      assert.equal(world.spans.length, 1);
      assert.ok(span !== undefined && span.to > world.now);
      assert.deepEqual(
        world.hosts[0]?.effects.filter(({ kind }) => kind === "revoke"),
        [],
      );
    }),
    { numRuns: 100 },
  );
});

test("a store that never answers: advisory goes on without it in its patience, required never", () => {
  fc.assert(
    fc.property(anyConfig, (config) => {
      const silence = [{ there: undefined, back: undefined }];
      const world = new World(config, [1], 1, turns(silence, 1));
      world.act(0, { kind: "wanted" });
      world.run(config.patience + 10);
      const isAdvisory = config.mode === "advisory";
      assert.equal(world.hosts[0]?.withoutLease, isAdvisory);
      world.run(config.ttl * 5);
      assert.equal(world.hosts[0]?.withoutLease, isAdvisory);
      assert.equal(world.spans.length, 0);
    }),
    { numRuns: 100 },
  );
});

test("a free lease is had again after everything, once the store answers", () => {
  fc.assert(
    fc.property(anyConfig, anyFates, fc.array(anyAct, { maxLength: 15 }), (config, fates, acts) => {
      let isWell = false;
      const bad = turns(fates, config.ttl);
      const quick = config.requestTime / 4;
      const next = (): Fate => (isWell ? { there: quick, back: quick } : bad());
      const world = new World(config, [1, 1], 1, next);
      for (const { after, host, deed } of acts) {
        world.run(after);
        world.act(host, deed);
      }
      isWell = true;
      for (const host of [0, 1]) world.act(host, { kind: "wanted" });
      // The longest stall, the lease of whoever died, the longest wait for the next request.
      world.run(15_000_000 + config.ttl * 2.5 + config.renewEvery + 2 * config.requestTime);
      const holders = world.spans.filter(({ to }) => to > world.now);
      assert.equal(holders.length, 1);
    }),
    { numRuns: 150 },
  );
});

test("times that cannot work are told, with the longest that can", () => {
  const times = { ttl: seconds(10), requestTime: seconds(2), margin: milliseconds(250) };
  const config = { ...times, mode: "required", patience: micros(0) } as const;
  assert.equal(leaseTime({ ...config, renewEvery: seconds(3) }), 9_740_000);
  assert.equal(witnessProblem({ ...config, renewEvery: micros(5_740_000) }), undefined);
  assert.deepEqual(witnessProblem({ ...config, renewEvery: micros(5_740_001) }), {
    reason: "too-slow",
    longestRenewEvery: micros(5_740_000),
  });
  assert.equal(witnessProblem({ ...config, renewEvery: micros(0) })?.reason, "not-positive");
});
