import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Destination, DestinationKey } from "../../../agent/core/ipvs/service.ts";
import { destinationKey } from "../../../agent/core/ipvs/service.ts";
import type { Instant } from "../../../agent/core/time.ts";
import { micros, seconds } from "../../../agent/core/time.ts";
import { desired } from "../../../agent/core/virtual-server/desired.ts";
import type {
  Finding,
  Override,
  PoolConfig,
  PoolEffect,
  PoolEvent,
  PoolState,
  RealServer,
} from "../../../agent/core/virtual-server/pool.ts";
import { virtualServer } from "../../../agent/core/virtual-server/virtual-server.ts";
import { at } from "../vrrp/example.ts";
import { checkLike, key, pool, SORRY, START, server } from "./example.ts";

const SERVERS = 4;
const last = fc.integer({ min: 1, max: SERVERS });

const realServers: fc.Arbitrary<readonly RealServer[]> = fc
  .uniqueArray(
    fc.record({
      last,
      weight: fc.integer({ min: 0, max: 5 }),
      inhibitOnFailure: fc.boolean(),
      checks: fc.array(
        fc.record({
          startsDown: fc.boolean(),
          probe: fc.constantFrom("a", "b", "c"),
        }),
        { maxLength: 2 },
      ),
    }),
    { selector: (one) => one.last, maxLength: SERVERS },
  )
  .map((list) =>
    list.map(({ last: number, checks, ...part }) =>
      server(number, {
        ...part,
        checks: checks.map(({ startsDown, probe }) => checkLike({ startsDown }, probe)),
      }),
    ),
  );

const configs: fc.Arbitrary<PoolConfig> = fc
  .record({
    quorum: fc.integer({ min: 0, max: 8 }),
    hysteresis: fc.integer({ min: 0, max: 3 }),
    sorryServer: fc.constantFrom(undefined, SORRY),
    sorryServerInhibit: fc.boolean(),
    drainTime: fc.constantFrom(seconds(0), seconds(30)),
    slowStart: fc.constantFrom(seconds(0), seconds(10)),
    panicThreshold: fc.constantFrom(0, 50, 100),
    realServers,
  })
  .map(pool);

const findings: fc.Arbitrary<Finding> = fc.record({
  verdict: fc.constantFrom("up", "down"),
  reason: fc.constantFrom("", "no answer"),
  weight: fc.constantFrom(undefined, 0, 7),
  extra: fc.constantFrom(0, -2, 3),
});

const overrides: fc.Arbitrary<Override | undefined> = fc.constantFrom(
  undefined,
  { kind: "drain", who: "root", at: 1 },
  { kind: "disable", who: "root", at: 1 },
  { kind: "weight", weight: 9, who: "root", at: 1 },
);

type Line =
  | { readonly wait: number; readonly event: Exclude<PoolEvent, { readonly kind: "configured" }> }
  | { readonly wait: number; readonly config: PoolConfig };

const events: fc.Arbitrary<Exclude<PoolEvent, { readonly kind: "configured" }>> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.tuple(last, fc.integer({ min: 0, max: 2 }), findings), {
        minLength: 1,
        maxLength: 4,
      })
      .map((all) => ({
        kind: "found" as const,
        found: all.map(([number, check, finding]) => ({ server: key(number), check, finding })),
      })),
  },
  fc
    .tuple(last, overrides)
    .map(([number, override]) => ({ kind: "override" as const, server: key(number), override })),
  fc
    .tuple(last, fc.constantFrom("a", "b"), fc.constantFrom(undefined, "down", 0, 4))
    .map(([number, source, said]) => ({
      kind: "claim" as const,
      server: key(number),
      source,
      claim:
        said === undefined
          ? undefined
          : said === "down"
            ? { kind: "down" as const, reason: "a policy says so" }
            : { kind: "weight" as const, weight: Number(said) },
    })),
  fc
    .tuple(fc.constantFrom("a", "b"), fc.dictionary(last.map(key), fc.constantFrom(0, 5)))
    .map(([source, weights]) => ({ kind: "balance" as const, source, weights })),
  fc.constant({ kind: "tick" as const }),
  fc.array(last).map((busy) => ({
    kind: "connections" as const,
    active: Object.fromEntries(busy.map((number) => [key(number), 1])),
  })),
);

const lines: fc.Arbitrary<readonly Line[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ wait: fc.integer({ min: 0, max: 20 }), event: events }) },
    fc.record({ wait: fc.integer({ min: 0, max: 20 }), config: configs }),
  ),
  { maxLength: 25 },
);

interface Moment {
  readonly config: PoolConfig;
  readonly state: PoolState;
  readonly effects: readonly PoolEffect[];
  readonly now: Instant;
}

/** Plays a script, and looks at every moment. */
function play(first: PoolConfig, script: readonly Line[], look: (moment: Moment) => void): void {
  let config = first;
  let now = at(0);
  let { state, effects } = virtualServer.step(config, virtualServer.initial, START, now);
  look({ config, state, effects, now });
  for (const line of script) {
    now = at(now + micros(line.wait * 1_000_000));
    const before = config;
    if ("config" in line) config = line.config;
    const event: PoolEvent = "event" in line ? line.event : { kind: "configured", before };
    ({ state, effects } = virtualServer.step(config, state, event, now));
    look({ config, state, effects, now });
  }
}

const always = (look: (moment: Moment) => void): void => {
  fc.assert(
    fc.property(configs, lines, (config, script) => play(config, script, look)),
    { numRuns: 250 },
  );
};

function destinations({ config, state }: Moment): ReadonlyMap<DestinationKey, Destination> {
  const all = desired(config, state).flatMap((entry) => entry.destinations);
  const found = new Map(all.map((each) => [destinationKey(each), each]));
  assert.equal(found.size, all.length, "two of one key");
  return found;
}

test("a server that is down, drained or out has no weight, but where the guard holds it", () => {
  always((moment) => {
    const { config, state } = moment;
    const found = destinations(moment);
    for (const real of config.realServers) {
      const server = state.servers[destinationKey(real)];
      assert.ok(server !== undefined);
      const weight = found.get(destinationKey(real))?.weight ?? 0;
      const bad = server.found.some(({ verdict }) => verdict === "down");
      const held = state.panic?.held.includes(destinationKey(real)) === true;
      const refused = Object.values(server.claims).some(({ kind }) => kind === "down");
      const out = server.override?.kind === "drain" || server.override?.kind === "disable";
      if ((bad && !held) || refused || out) assert.equal(weight, 0);
      if (server.override?.kind === "disable") assert.ok(!found.has(destinationKey(real)));
    }
  });
});

test("the quorum is what its rule says of the live weight", () => {
  always(({ config, state }) => {
    let live = 0;
    for (const { up, override, weight } of Object.values(state.servers)) {
      if (up && override?.kind !== "disable") live += weight;
    }
    if (live === 0) assert.equal(state.quorum, false);
    else if (live >= config.quorum + config.hysteresis) assert.equal(state.quorum, true);
    else if (live < config.quorum - config.hysteresis) assert.equal(state.quorum, false);
  });
});

test("the sorry server has weight exactly while the quorum is lost, and then nobody else has", () => {
  always((moment) => {
    const { config, state } = moment;
    if (config.sorryServer === undefined) return;
    const weights = [...destinations(moment)].filter(([, { weight }]) => weight > 0);
    const sorry = weights.some(([name]) => name === destinationKey(SORRY));
    assert.equal(sorry, !state.quorum);
    if (sorry) assert.equal(weights.length, 1);
  });
});

test("what was settled stays: the same moment once more changes and tells nothing", () => {
  always(({ config, state, now }) => {
    const again = virtualServer.step(config, state, { kind: "tick" }, now);
    assert.deepEqual(again.effects, []);
    assert.deepEqual(again.state, state);
    const anew = virtualServer.step(config, state, { kind: "configured", before: config }, now);
    assert.deepEqual(anew.effects, []);
    assert.deepEqual(desired(config, anew.state), desired(config, state));
  });
});

/** What somebody knows who hears of the effects alone. */
class Hearer {
  readonly #told = new Map<string, boolean>();
  #quorum = false;

  readonly look = ({ config, state, effects, now }: Moment): void => {
    for (const effect of effects) this.#hear(effect);
    for (const name of this.#told.keys()) if (!(name in state.servers)) this.#told.delete(name);
    for (const [name, { up, told }] of Object.entries(state.servers)) {
      assert.equal(this.#told.get(name), told ? up : undefined);
    }
    assert.equal(state.quorum, this.#quorum);
    const deadline = virtualServer.deadline(state);
    assert.ok(deadline === undefined || deadline > now, JSON.stringify(config));
  };

  #hear(effect: PoolEffect): void {
    if (effect.kind === "quorum") this.#quorum = effect.up;
    if (effect.kind !== "server") return;
    assert.notEqual(this.#told.get(effect.server), effect.up, "told before");
    this.#told.set(effect.server, effect.up);
  }
}

test("facts alternate and add up to the state, and its deadline is ahead", () => {
  fc.assert(
    fc.property(configs, lines, (config, script) => play(config, script, new Hearer().look)),
    { numRuns: 250 },
  );
});
