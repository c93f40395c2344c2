import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { IpAddress } from "../../../agent/core/address.ts";
import type { Instant } from "../../../agent/core/time.ts";
import { micros, milliseconds } from "../../../agent/core/time.ts";
import type { VrrpEffect } from "../../../agent/core/vrrp/effect.ts";
import type { VrrpEvent } from "../../../agent/core/vrrp/event.ts";
import type { Fault } from "../../../agent/core/vrrp/fault.ts";
import type { VrrpState } from "../../../agent/core/vrrp/state.ts";
import { INITIAL } from "../../../agent/core/vrrp/state.ts";
import { deadline, step } from "../../../agent/core/vrrp/step.ts";
import type { VirtualRouter } from "../../../agent/core/vrrp/virtual-router.ts";
import { at, HIGHER_ADDRESS, LOWER_ADDRESS, OURS, router } from "./example.ts";

const span = (...values: readonly number[]) => fc.constantFrom(...values.map(milliseconds));
const anyInterval = span(10, 100, 1_000, 40_950);
const address = fc.constantFrom<IpAddress>(OURS, LOWER_ADDRESS, HIGHER_ADDRESS);
const fault = fc.constantFrom<Fault>(
  { cause: "interface-down", subject: "eth0" },
  { cause: "tracker", subject: "script" },
  { cause: "sync-group", subject: "all" },
);

const anyRouter: fc.Arbitrary<VirtualRouter> = fc
  .record({
    version: fc.constantFrom<2 | 3>(2, 3),
    priority: fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constantFrom(1, 100, 254, 255)),
    advertisementInterval: anyInterval,
    downTimerAdverts: fc.constantFrom(1, 3, 100),
    preempt: fc.boolean(),
    preemptDelay: span(0, 500, 1_000_000),
    startupDelay: span(0, 700),
    lowerPrioNoAdvert: fc.boolean(),
    higherPrioSendAdvert: fc.boolean(),
    ownerIgnoreAdverts: fc.boolean(),
    timerExpiredBackup: fc.constantFrom(undefined, 1, 254),
    inSyncGroup: fc.boolean(),
    primaryAddress: fc.option(address, { nil: undefined }),
    announcement: fc.record({
      repeat: fc.constantFrom(1, 5),
      delay: span(0, 5_000),
      refreshInterval: span(0, 60_000),
      refreshRepeat: fc.constantFrom(1, 3),
      lowerPriorityRepeat: fc.constantFrom(0, 5),
      lowerPriorityDelay: span(0, 5_000),
    }),
  })
  .map(router);

/** Everything but `configured`, which a trace makes of a new router. */
const anyEvent: fc.Arbitrary<VrrpEvent> = fc.oneof(
  fc.record({
    kind: fc.constant("advertisement" as const),
    advertisement: fc.record({
      priority: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 100, 255)),
      source: address,
      maxAdvertiseInterval: anyInterval,
    }),
  }),
  fc.constantFrom<VrrpEvent>(
    { kind: "tick" },
    { kind: "tick" },
    { kind: "startup" },
    { kind: "group-active" },
    { kind: "group-backup" },
  ),
  fc.record({ kind: fc.constantFrom("fault-raised" as const, "fault-cleared" as const), fault }),
  fc.constant<VrrpEvent>({ kind: "shutdown" }),
  fc.record({ kind: fc.constant("foreign-claim" as const), from: address }),
);

interface Stride {
  /** Wait until the deadline, or this long, in µs. */
  readonly wait: "deadline" | number;
  readonly act: VrrpEvent | VirtualRouter;
}

const anyStride: fc.Arbitrary<Stride> = fc.record({
  wait: fc.oneof(
    { weight: 2, arbitrary: fc.constant("deadline" as const) },
    { weight: 3, arbitrary: fc.constantFrom(0, 1, 999, 10_000, 1_000_000, 100_000_000) },
  ),
  act: fc.oneof({ weight: 8, arbitrary: anyEvent }, { weight: 1, arbitrary: anyRouter }),
});

interface Moment {
  readonly router: VirtualRouter;
  readonly before: VrrpState;
  readonly event: VrrpEvent;
  readonly now: Instant;
  readonly state: VrrpState;
  readonly effects: readonly VrrpEffect[];
}

function* run(first: VirtualRouter, strides: readonly Stride[]): Generator<Moment> {
  let config = first;
  let state = INITIAL;
  let now = at(1_000);
  for (const { wait, act } of [{ wait: 0, act: { kind: "startup" } as VrrpEvent }, ...strides]) {
    if (wait === "deadline") {
      const due = deadline(state);
      if (due !== undefined && due > now) now = due;
    } else now = at(now + wait);
    const event: VrrpEvent = "kind" in act ? act : { kind: "configured", previous: config };
    if (!("kind" in act)) config = act;
    const next = step(config, state, event, now);
    yield { router: config, before: state, event, now, ...next };
    state = next.state;
  }
}

const everyMoment = (holds: (moment: Moment) => void, numRuns = 2_000) =>
  fc.assert(
    fc.property(anyRouter, fc.array(anyStride, { maxLength: 40 }), (first, strides) => {
      for (const moment of run(first, strides)) holds(moment);
    }),
    { numRuns },
  );

test("states, events and effects are plain JSON, and a revived state goes on the same", () => {
  everyMoment(({ router: config, before, event, now, state, effects }) => {
    assert.deepEqual(structuredClone({ state, effects }), { state, effects });
    const revive = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
    const revived = step(revive(config), revive(before), revive(event), now);
    assert.equal(JSON.stringify(sorted(revived)), JSON.stringify(sorted({ state, effects })));
  }, 500);
});

/** Keys in one order, and those that are undefined left out, as a round trip leaves them out. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, held]) => held !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, held]) => [key, sorted(held)]));
}

test("the addresses are held exactly while active [RFC9568-6.4.2] [RFC9568-6.4.3]", () => {
  everyMoment(({ before, state, effects }) => {
    const moved = effects.flatMap(({ kind }) =>
      kind === "install-addresses" || kind === "remove-addresses" ? [kind] : [],
    );
    const entered = before.kind !== "active" && state.kind === "active";
    const left = before.kind === "active" && state.kind !== "active";
    const expected = entered ? ["install-addresses"] : left ? ["remove-addresses"] : [];
    assert.deepEqual(moved, expected);
  });
});

test("every change of state is told once, as the last effect, and nothing else is", () => {
  everyMoment(({ before, state, effects }) => {
    const told = effects.filter(({ kind }) => kind === "transition");
    assert.equal(told.length, before.kind === state.kind ? 0 : 1);
    const [transition] = told;
    if (transition?.kind !== "transition") return;
    assert.deepEqual([transition.from, transition.to], [before.kind, state.kind]);
    // A request to the group follows the state in which it is made.
    const after = effects.slice(effects.indexOf(transition) + 1);
    assert.ok(after.every(({ kind }) => kind === "request-active"));
  });
});

test("only an active router advertises its priority and announces [RFC9568-6.4.2]", () => {
  everyMoment(({ router: config, before, state, effects }) => {
    for (const effect of effects) {
      if (effect.kind === "announce-addresses") {
        assert.equal(state.kind, "active");
        assert.ok(effect.repeat >= 1);
      }
      if (effect.kind !== "send-advertisement") continue;
      assert.ok(before.kind === "active" || state.kind === "active");
      assert.ok(
        effect.priority === 0 ? state.kind !== "active" : effect.priority === config.priority,
      );
    }
    const resigns = effects.findIndex((e) => e.kind === "send-advertisement" && e.priority === 0);
    const removes = effects.findIndex((e) => e.kind === "remove-addresses");
    if (resigns >= 0) assert.ok(removes >= 0 && removes < resigns);
  });
});

test("a tick leaves no timer behind that is due: the runtime cannot spin", () => {
  everyMoment(({ event, state, now }) => {
    const due = deadline(state);
    if (event.kind === "tick" && due !== undefined) assert.ok(due > now, `${due} at ${now}`);
  });
});

test("a tick before the deadline changes nothing", () => {
  everyMoment(({ router: config, state, now }) => {
    const due = deadline(state);
    if (due !== undefined && due <= now) return;
    assert.deepEqual(step(config, state, { kind: "tick" }, now), { state, effects: [] });
  });
});

test("what is received never puts an advertisement off, unless one leaves", () => {
  everyMoment(({ router: config, before, event, now, state, effects }) => {
    if (before.kind !== "active" || state.kind !== "active") return;
    const sent = effects.some(({ kind }) => kind === "send-advertisement");
    if (event.kind !== "tick" && !sent) assert.ok(state.adverAt <= before.adverAt);
    if (sent) assert.ok(state.adverAt <= now + config.advertisementInterval);
    const spaced = now - before.advertisedAt >= 10_000;
    if (event.kind === "advertisement" && sent) assert.ok(spaced);
  });
});

test("without a fault, somebody who hears nothing becomes active within one interval", () => {
  fc.assert(
    fc.property(anyRouter, fc.array(anyStride, { maxLength: 20 }), (first, strides) => {
      let last: Moment | undefined;
      for (const moment of run(first, strides)) last = moment;
      if (last === undefined || last.state.kind !== "backup") return;
      const { router: config, state } = last;
      const asked = step(
        config,
        state,
        { kind: "tick" },
        at(Math.max(state.activeDownAt, last.now)),
      );
      if (!config.inSyncGroup) assert.equal(asked.state.kind, "active");
      else
        assert.deepEqual(
          asked.effects.map(({ kind }) => kind),
          ["request-active"],
        );
    }),
  );
});

test("times stay whole numbers", () => {
  everyMoment(({ state }) => {
    const due = deadline(state);
    assert.ok(due === undefined || (Number.isSafeInteger(due) && due >= 0));
    if (state.kind === "backup") assert.ok(state.activeAdverInterval > micros(0));
  });
});
