import assert from "node:assert/strict";
import { test } from "node:test";
import { production } from "./machine.ts";
import type { Focus } from "./trial.ts";
import { describeViolation, runTrial } from "./trial.ts";

const SEEDS = 2_000;
/** Of groups that require a lease alone, whose trouble is with the store. */
const ASKING_SEEDS = 500;

function holds(seeds: number, focus: Focus): void {
  for (let seed = 1; seed <= seeds; seed++) {
    const result = runTrial(seed, production, focus);
    assert.ok(result.violation === undefined, describeViolation(result));
  }
}

test(`every invariant holds over ${SEEDS} seeds of faults [RFC9568-6.4]`, () =>
  holds(SEEDS, "any"));

test(`every invariant holds over ${ASKING_SEEDS} seeds of trouble with a store`, () =>
  holds(ASKING_SEEDS, "asking"));

test("a seed replays exactly", () => {
  assert.deepEqual(runTrial(7, production), runTrial(7, production));
  assert.deepEqual(runTrial(7, production, "asking"), runTrial(7, production, "asking"));
});
