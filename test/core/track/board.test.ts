import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { instant } from "../../../agent/core/time.ts";
import type { Board, BoardEvent, BoardState } from "../../../agent/core/track/board.ts";
import { LAPSE } from "../../../agent/core/track/board.ts";
import {
  claims,
  claimsOn,
  NO_READING,
  readingOf,
  readings,
} from "../../../agent/core/track/readings.ts";
import type { Claim, Reading } from "../../../agent/core/track/tracking.ts";

const UP: Reading = { verdict: "up", value: 0, reason: "status 0" };
const DOWN: Reading = { verdict: "down", value: 0, reason: "status 1" };
const A = "script a";
const LAPSE_AT = instant(LAPSE);

function play<Value>(board: Board<Value>) {
  let state: BoardState<Value> = board.initial;
  const step = (event: BoardEvent<Value>, at = 0): readonly string[] => {
    const { state: next, effects } = board.step(undefined, state, event, instant(at));
    state = next;
    return effects.map(({ kind }) => kind);
  };
  const say = (
    complete: "no" | "part" | "last",
    ...entries: readonly (readonly [string, Value?])[]
  ) =>
    step({
      kind: "said",
      complete,
      entries: entries.map(([key, value]) => (value === undefined ? { key } : { key, value })),
    });
  return { step, say, now: () => state };
}

describe("a board", () => {
  test("takes everything at once, with the last part", () => {
    const { say, now } = play(readings);
    say("last", [A, UP], ["script b", UP]);
    assert.deepEqual(say("part", [A, DOWN]), []);
    assert.equal(readingOf(now(), A).verdict, "up");
    assert.deepEqual(say("last"), ["spoken"]);
    assert.equal(readingOf(now(), A).verdict, "down");
    assert.equal(readingOf(now(), "script b").verdict, "unknown", "it was not mentioned again");
  });

  test("takes changes, and forgets what is configured no more", () => {
    const { say, now } = play(readings);
    say("last", [A, UP]);
    assert.deepEqual(say("no", [A, DOWN]), ["changed"]);
    assert.equal(readingOf(now(), A).verdict, "down");
    say("no", [A]);
    assert.equal(readingOf(now(), A).verdict, "unknown");
  });

  test("lapses some time after its author was lost, and holds what is said anew", () => {
    const { step, say, now } = play(readings);
    say("last", [A, UP]);
    step({ kind: "lost" });
    assert.equal(readings.deadline(now()), LAPSE_AT);
    assert.deepEqual(step({ kind: "tick" }, LAPSE_AT - 1), []);
    assert.equal(readingOf(now(), A).verdict, "up");
    assert.deepEqual(step({ kind: "tick" }, LAPSE_AT), ["lapsed"]);
    assert.deepEqual(readingOf(now(), A), { ...UP, verdict: "failed", reason: "no director" });
    assert.equal(readingOf(now(), "script new").verdict, "failed");
    say("last", [A, UP]);
    assert.equal(readingOf(now(), A).verdict, "up");
    assert.equal(readings.deadline(now()), undefined);
  });

  test("directors that come and go without a whole word do not put it off", () => {
    const { step, say, now } = play(readings);
    say("last", [A, UP]);
    step({ kind: "lost" });
    say("part", [A, DOWN]);
    step({ kind: "lost" }, LAPSE_AT - 1);
    assert.equal(readings.deadline(now()), LAPSE_AT);
    step({ kind: "tick" }, LAPSE_AT);
    step({ kind: "lost" }, LAPSE_AT + 1);
    assert.equal(readings.deadline(now()), undefined, "it cannot lapse twice");
    assert.equal(readingOf(now(), A).verdict, "failed");
    say("last");
    assert.equal(
      readingOf(now(), A).verdict,
      "unknown",
      "the part of a lost one counts for nothing",
    );
  });

  test("a director that has not looked yet changes nothing that was found", () => {
    for (const found of [UP, DOWN]) {
      const { step, say, now } = play(readings);
      say("last", [A, found]);
      step({ kind: "lost" });
      say("last", [A, NO_READING], ["script b", { ...NO_READING, verdict: "down" }]);
      assert.deepEqual(readingOf(now(), A), found);
      assert.equal(readingOf(now(), "script b").verdict, "down", "init_fail");
    }
  });

  test("what had lapsed is not taken for found when somebody is back", () => {
    const { step, say, now } = play(readings);
    say("last", [A, UP]);
    step({ kind: "lost" });
    step({ kind: "tick" }, LAPSE_AT);
    say("last", [A, NO_READING], ["script new", NO_READING]);
    assert.equal(readingOf(now(), A).verdict, "failed");
    assert.equal(readingOf(now(), "script new").verdict, "failed");
    say("no", [A, UP]);
    assert.equal(readingOf(now(), A).verdict, "up");
  });

  test("keys are names that an operator chose", () => {
    const { say, now } = play(claims);
    assert.deepEqual(claimsOn(now(), "toString"), []);
    say("last", ["__proto__", []]);
    assert.deepEqual(claimsOn(now(), "__proto__"), []);
    assert.deepEqual(claimsOn(now(), "length"), []);
  });
});

test("claims become what was asked for in the case that nobody keeps them up", () => {
  const { step, say, now } = play(claims);
  const claim: Claim = {
    router: "V",
    source: "policy p/c",
    effect: { kind: "none" },
    otherwise: { kind: "weight", weight: -50 },
  };
  say("last", ["V", [claim]]);
  assert.deepEqual(claimsOn(now(), "V"), [{ source: "policy p/c", effect: { kind: "none" } }]);
  step({ kind: "lost" });
  step({ kind: "tick" }, LAPSE_AT);
  assert.deepEqual(claimsOn(now(), "V"), [
    { source: "policy p/c", effect: { kind: "weight", weight: -50 } },
  ]);
});
