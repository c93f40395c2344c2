import assert from "node:assert/strict";
import { test } from "node:test";
import { instant, micros, milliseconds, seconds } from "../../../agent/core/time.ts";
import type { LeaseAnswer } from "../../../agent/core/witness/lease-answer.ts";
import { stepWitness, witnessDeadline } from "../../../agent/core/witness/step.ts";
import type {
  WitnessConfig,
  WitnessEffect,
  WitnessEvent,
} from "../../../agent/core/witness/witness.ts";
import { initialWitness } from "../../../agent/core/witness/witness.ts";

const REQUIRED: WitnessConfig = {
  mode: "required",
  ttl: seconds(10),
  renewEvery: seconds(3),
  requestTime: seconds(2),
  margin: milliseconds(250),
  patience: seconds(1),
};
const ADVISORY: WitnessConfig = { ...REQUIRED, mode: "advisory" };
/** 10 s less a thousandth and the margin. */
const LEASE_MS = 9_740;

/** One machine on a clock in milliseconds. */
function play(config: WitnessConfig) {
  let state = initialWitness(1);
  return {
    at(time: number, event: WitnessEvent): readonly WitnessEffect[] {
      const next = stepWitness(config, state, event, instant(time * 1_000));
      ({ state } = next);
      return next.effects;
    },
    answer(time: number, id: number, sentAt: number, answer: LeaseAnswer) {
      return this.at(time, { kind: "answer", id, sentAt: instant(sentAt * 1_000), answer });
    },
    get wakesAt() {
      return (witnessDeadline(state) ?? Number.NaN) / 1_000;
    },
    get state() {
      return state;
    },
  };
}

const WANTED = { kind: "wanted" } as const;
const NOT_WANTED = { kind: "not-wanted" } as const;
const TICK = { kind: "tick" } as const;
const HELD = { kind: "held", epoch: "7" } as const;
const SILENT = { kind: "unreachable", reason: "no answer" } as const;
const limit = REQUIRED.requestTime;
const granted = (time: number): WitnessEffect => ({
  kind: "grant",
  deadlineAt: instant(time * 1_000),
  epoch: "7",
});

test("asks, is granted from when the request left, renews, and gives back", () => {
  const one = play(REQUIRED);
  assert.deepEqual(one.at(1_000, WANTED), [{ kind: "acquire", id: 1, limit }]);
  assert.deepEqual(one.answer(1_900, 1, 1_000, HELD), [granted(1_000 + LEASE_MS)]);
  assert.equal(one.wakesAt, 4_000);
  assert.deepEqual(one.at(4_000, TICK), [{ kind: "renew", id: 2, limit }]);
  assert.deepEqual(one.answer(4_100, 2, 4_005, HELD), [granted(4_005 + LEASE_MS)]);
  assert.deepEqual(one.at(5_000, NOT_WANTED), [
    { kind: "revoke", reason: "not-wanted" },
    { kind: "release", id: 3, limit },
  ]);
  assert.deepEqual(one.at(5_001, { kind: "released", id: 3 }), []);
  assert.ok(Number.isNaN(one.wakesAt));
});

test("an answer that nobody waits for any more counts for nothing", () => {
  const one = play(REQUIRED);
  one.at(0, WANTED);
  assert.deepEqual(one.at(2_000, TICK), []);
  assert.deepEqual(one.at(2_100, NOT_WANTED), [{ kind: "release", id: 2, limit }]);
  one.at(2_200, { kind: "released", id: 2 });
  assert.deepEqual(one.at(2_300, WANTED), [{ kind: "acquire", id: 3, limit }]);
  // It was held, and given back since.
  assert.deepEqual(one.answer(2_400, 1, 0, HELD), []);
  assert.equal(one.state.grant.kind, "none");
  assert.deepEqual(one.answer(2_500, 3, 2_300, { kind: "taken", holder: "b" }), []);
});

test("no acquisition goes while a release may still be on its way", () => {
  const one = play(REQUIRED);
  one.at(0, WANTED);
  one.answer(10, 1, 0, HELD);
  one.at(20, NOT_WANTED);
  assert.deepEqual(one.at(30, WANTED), []);
  assert.deepEqual(one.at(40, { kind: "released", id: 2 }), [{ kind: "acquire", id: 3, limit }]);
});

test("required: silence ends the grant at its deadline, and not before", () => {
  const one = play(REQUIRED);
  one.at(0, WANTED);
  one.answer(10, 1, 0, HELD);
  let time = one.wakesAt;
  let id = 2;
  const sent: number[] = [];
  while (time < LEASE_MS) {
    for (const effect of one.at(time, TICK)) {
      assert.equal(effect.kind, "renew");
      sent.push(time);
      one.answer(time + 1, id++, time, SILENT);
    }
    time = one.wakesAt;
  }
  // A store that fails at once is asked again soon, not in a storm.
  assert.ok(sent.length >= 3 && sent.length <= 15, `${sent.length} requests`);
  assert.deepEqual(one.at(LEASE_MS, TICK)[0], { kind: "revoke", reason: "lapsed" });
});

test("advisory: without a lease after its patience, with one as soon as there is one", () => {
  const one = play(ADVISORY);
  one.at(0, WANTED);
  assert.deepEqual(one.answer(100, 1, 0, SILENT), []);
  assert.deepEqual(one.at(1_000, TICK), [{ kind: "grant-without-lease", because: "unreachable" }]);
  one.at(4_000, TICK);
  assert.deepEqual(one.answer(4_010, 2, 4_000, HELD), [granted(4_000 + LEASE_MS)]);
});

test("advisory: who went without a lease yields to who has it", () => {
  const one = play(ADVISORY);
  one.at(0, WANTED);
  one.answer(100, 1, 0, { kind: "refused", reason: "no", remedy: "set it" });
  assert.deepEqual(one.at(1_000, TICK), [{ kind: "grant-without-lease", because: "refused" }]);
  one.at(4_000, TICK);
  assert.deepEqual(one.answer(4_010, 2, 4_000, { kind: "taken", holder: "b" }), [
    { kind: "revoke", reason: "taken" },
  ]);
  // While the store says so nobody goes on without it.
  assert.deepEqual(
    one.at(8_000, TICK).map(({ kind }) => kind),
    ["acquire"],
  );
});

test("advisory: a store that falls silent under a lease is done without from its deadline on", () => {
  const one = play(ADVISORY);
  one.at(0, WANTED);
  one.answer(10, 1, 0, HELD);
  one.at(3_000, TICK);
  one.at(5_000, TICK);
  assert.deepEqual(one.at(LEASE_MS, TICK)[0], {
    kind: "grant-without-lease",
    because: "unreachable",
  });
});

test("what is lost is asked for again at once, and a hint shortens the wait for another's", () => {
  const one = play(REQUIRED);
  one.at(0, WANTED);
  one.answer(10, 1, 0, HELD);
  one.at(3_000, TICK);
  assert.deepEqual(one.answer(3_010, 2, 3_000, { kind: "lost" }), [
    { kind: "revoke", reason: "lost" },
    { kind: "acquire", id: 3, limit },
  ]);
  one.answer(3_020, 3, 3_010, { kind: "taken", holder: "b" });
  assert.ok(one.wakesAt >= 3_020 + 1_500 && one.wakesAt <= 3_020 + 3_000);
  one.at(3_030, { kind: "changed" });
  assert.ok(one.wakesAt > 3_030 && one.wakesAt <= 3_030 + 250);
  assert.equal(one.at(micros(one.wakesAt), NOT_WANTED).length, 1);
});

test("a renewal that is answered after the lease ended, and is lost, is asked after at once", () => {
  const one = play(REQUIRED);
  one.at(0, WANTED);
  one.answer(100, 1, 0, HELD);
  one.at(3_000, TICK);
  one.at(5_000, TICK);
  one.at(7_000, TICK);
  one.at(9_000, TICK);
  assert.deepEqual(one.at(LEASE_MS, TICK), [{ kind: "revoke", reason: "lapsed" }]);
  const asked = one.state.request?.id ?? 0;
  // Whoever goes on without it must hear who has it now.
  assert.deepEqual(one.answer(9_800, asked, 9_000, { kind: "lost" }), [
    { kind: "acquire", id: asked + 1, limit },
  ]);
});

test("what ended by time alone is given back when its gate is shut for sure", () => {
  const one = play(REQUIRED);
  one.at(0, WANTED);
  one.answer(1, 1, 0, HELD);
  // Nobody came to renew it.
  one.at(LEASE_MS, TICK);
  const { request } = one.state;
  assert.equal(request?.kind, "acquire");
  one.answer(LEASE_MS + 1, request.id, LEASE_MS, SILENT);
  assert.deepEqual(one.at(LEASE_MS + 2, NOT_WANTED), []);
  assert.equal(one.wakesAt, LEASE_MS + 250);
  assert.equal(one.at(LEASE_MS + 250, TICK)[0]?.kind, "release");
});
