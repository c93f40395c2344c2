import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ControlPacket } from "../../../agent/core/bfd/packet.ts";
import type { BfdEvent, BfdSession, BfdState } from "../../../agent/core/bfd/session.ts";
import { bfdSession } from "../../../agent/core/bfd/step.ts";
import { micros, milliseconds } from "../../../agent/core/time.ts";
import { at } from "../vrrp/example.ts";
import { control, session } from "./example.ts";

const interval = fc.constantFrom(1, 10, 50, 300, 1_000).map(milliseconds);

const anySession = (discriminator: number): fc.Arbitrary<BfdSession> =>
  fc
    .record({
      minTx: interval,
      minRx: interval,
      multiplier: fc.integer({ min: 1, max: 5 }),
      passive: fc.boolean(),
      seed: fc.integer(),
    })
    .map((one) => session({ ...one, discriminator }));

interface Flying {
  readonly at: number;
  readonly to: 0 | 1;
  readonly packet: ControlPacket;
}

/** Two machines over a link with a delay, on one virtual clock. */
class Pair {
  now = 1_000_000;
  readonly sessions: [BfdSession, BfdSession];
  readonly states: [BfdState, BfdState] = [bfdSession.initial, bfdSession.initial];
  /** `at from to reason` of every change. */
  readonly changes: { readonly at: number; readonly who: 0 | 1; readonly to: string }[] = [];
  readonly #delay: number;
  readonly #lost: (at: number, to: 0 | 1) => boolean;
  #flying: Flying[] = [];

  constructor(
    sessions: [BfdSession, BfdSession],
    delay: number,
    lost: (at: number, to: 0 | 1) => boolean = () => false,
  ) {
    this.sessions = sessions;
    this.#delay = delay;
    this.#lost = lost;
    this.step(0, { kind: "startup" });
    this.step(1, { kind: "startup" });
  }

  step(who: 0 | 1, event: BfdEvent): void {
    const { state, effects } = bfdSession.step(
      this.sessions[who],
      this.states[who],
      event,
      at(this.now),
    );
    this.states[who] = state;
    const to = who === 0 ? 1 : 0;
    for (const effect of effects) {
      if (effect.kind === "session-changed") {
        this.changes.push({ at: this.now, who, to: effect.to });
        continue;
      }
      assert.ok(!(effect.packet.poll && effect.packet.final));
      if (this.#lost(this.now, to)) continue;
      this.#flying.push({ at: this.now + this.#delay, to, packet: effect.packet });
    }
  }

  /** Packets first: as the schedule does, what has arrived is read before a deadline acts. */
  run(until: number): void {
    for (;;) {
      const flying = this.#flying[0];
      const first = bfdSession.deadline(this.states[0]) ?? Number.POSITIVE_INFINITY;
      const second = bfdSession.deadline(this.states[1]) ?? Number.POSITIVE_INFINITY;
      const next = Math.min(flying?.at ?? Number.POSITIVE_INFINITY, first, second);
      if (next > until) break;
      this.now = Math.max(this.now, next);
      if (flying !== undefined && flying.at <= this.now) {
        this.#flying = this.#flying.slice(1);
        this.step(flying.to, { kind: "packet", packet: flying.packet });
      } else this.step(first <= second ? 0 : 1, { kind: "tick" });
    }
    this.now = until;
  }
}

/** Any two, of which one at least speaks first. The way is quicker than what they wait for. */
const anyPair = fc
  .tuple(anySession(7), anySession(9), fc.integer({ min: 0, max: 50 }))
  .map(([first, second, delay]) => ({
    sessions: [first.passive && second.passive ? { ...first, passive: false } : first, second] as [
      BfdSession,
      BfdSession,
    ],
    delay,
  }));

test("two sessions come up, agree on their intervals and stay up without loss", () => {
  fc.assert(
    fc.property(anyPair, ({ sessions, delay }) => {
      const pair = new Pair(sessions, delay);
      pair.run(4_000_000);
      assert.deepEqual(
        pair.states.map((state) => state.session),
        ["up", "up"],
      );
      const settled = pair.changes.length;
      pair.run(20_000_000);
      assert.equal(pair.changes.length, settled);
      for (const who of [0, 1] as const) {
        const { minTx, minRx } = pair.sessions[who];
        assert.deepEqual(pair.states[who].applied, { minTx, minRx });
        assert.equal(pair.states[who].polled, undefined);
      }
    }),
    { numRuns: 60 },
  );
});

test("a dead way is found within the detection time, by both", () => {
  fc.assert(
    fc.property(anyPair, fc.integer({ min: 0, max: 1_000_000 }), ({ sessions, delay }, later) => {
      const cut = 8_000_000 + later;
      const pair = new Pair(sessions, delay, (now) => now >= cut);
      pair.run(cut);
      assert.ok(pair.states.every((state) => state.session === "up"));
      pair.run(cut + 10_000_000);
      for (const who of [0, 1] as const) {
        const own = pair.sessions[who];
        const other = pair.sessions[who === 0 ? 1 : 0];
        const agreed = Math.max(own.minRx, other.minTx);
        const down = pair.changes.find((change) => change.at >= cut && change.who === who);
        assert.equal(down?.to, "down");
        const took = (down?.at ?? 0) - cut;
        assert.ok(took <= other.multiplier * agreed + delay, `${took} of ${agreed}`);
        assert.ok(took >= (other.multiplier - 1) * agreed - delay, `${took} of ${agreed}`);
      }
    }),
    { numRuns: 60 },
  );
});

test("losses come to nothing but a detection: they are up again soon after them", () => {
  const schedule = fc.array(fc.boolean(), { minLength: 64, maxLength: 64 });
  fc.assert(
    fc.property(anyPair, schedule, ({ sessions, delay }, losses) => {
      const quiet = 30_000_000;
      const lost = (now: number): boolean =>
        now < quiet && losses[Math.floor(now / 70_000) % losses.length] === true;
      const pair = new Pair(sessions, delay, lost);
      pair.run(quiet);
      // A second neighbour's word is a second's interval and five times that to be forgotten.
      pair.run(quiet + 12_000_000);
      assert.deepEqual(
        pair.states.map((state) => state.session),
        ["up", "up"],
      );
    }),
    { numRuns: 60 },
  );
});

test("intervals change in use, by poll sequences, and nobody flaps", () => {
  const changes = fc.array(fc.tuple(fc.constantFrom<0 | 1>(0, 1), interval, interval), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(anyPair, changes, ({ sessions, delay }, steps) => {
      const pair = new Pair(sessions, delay);
      pair.run(6_000_000);
      const settled = pair.changes.length;
      for (const [who, minTx, minRx] of steps) {
        pair.sessions[who] = { ...pair.sessions[who], minTx, minRx };
        pair.step(who, { kind: "configured" });
        pair.run(pair.now + 130_000);
      }
      pair.run(pair.now + 20_000_000);
      assert.equal(pair.changes.length, settled, JSON.stringify(pair.changes));
      for (const who of [0, 1] as const) {
        const { minTx, minRx } = pair.sessions[who];
        assert.deepEqual(pair.states[who].applied, { minTx, minRx });
      }
    }),
    { numRuns: 60 },
  );
});

const anyPacket: fc.Arbitrary<ControlPacket> = fc
  .record({
    state: fc.constantFrom("admin-down", "down", "init", "up"),
    poll: fc.boolean(),
    final: fc.boolean(),
    demand: fc.boolean(),
    multiplier: fc.integer({ min: 1, max: 255 }),
    desiredMinTx: fc.nat({ max: 0xffff_ffff }).map(micros),
    requiredMinRx: fc.nat({ max: 0xffff_ffff }).map(micros),
    diagnostic: fc.constantFrom("none", "reserved", "path-down"),
  } as const)
  .map(control);

const anyEvent: fc.Arbitrary<BfdEvent> = fc.oneof(
  { weight: 5, arbitrary: anyPacket.map((packet) => ({ kind: "packet", packet }) as const) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<BfdEvent>(
      { kind: "tick" },
      { kind: "configured" },
      { kind: "shutdown" },
      { kind: "startup" },
    ),
  },
);

test("whatever a neighbour says, the machine is total, plain, and paces itself", () => {
  const trace = fc.array(fc.tuple(fc.nat({ max: 2_000_000 }), anyEvent), { maxLength: 60 });
  fc.assert(
    fc.property(anySession(7), trace, (of, events) => {
      let state = bfdSession.initial;
      let now = 0;
      for (const [wait, event] of events) {
        now += wait;
        const input = JSON.stringify(state);
        const first = bfdSession.step(of, state, event, at(now));
        const again = bfdSession.step(of, JSON.parse(input), event, at(now));
        assert.deepEqual(JSON.parse(JSON.stringify(first)), JSON.parse(JSON.stringify(again)));
        assert.equal(JSON.stringify(state), input);
        const packets = first.effects.filter(({ kind }) => kind === "send-control");
        assert.ok(packets.length <= 1);
        const due = bfdSession.deadline(first.state);
        if (event.kind === "tick") assert.ok(due === undefined || due > now);
        state = first.state;
      }
    }),
    { numRuns: 300 },
  );
});
