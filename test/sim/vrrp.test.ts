import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { production } from "./machine.ts";
import { MUTANTS } from "./mutants.ts";
import { describeViolation, runTrial } from "./trial.ts";

const SEEDS = 2_000;

/** A mistake that no seed of this many shows would not be found by a night of them either. */
const MUTANT_SEEDS = 300;

test(`every invariant holds over ${SEEDS} seeds of faults [RFC9568-6.4]`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = runTrial(seed, production);
    assert.ok(result.violation === undefined, describeViolation(result));
  }
});

test("a seed replays exactly", () => {
  assert.deepEqual(runTrial(7, production), runTrial(7, production));
});

describe("the checkers bite", () => {
  for (const [name, machine] of Object.entries(MUTANTS)) {
    test(`when ${name}`, () => {
      for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
        if (runTrial(seed, machine).violation !== undefined) return;
      }
      assert.fail(`${MUTANT_SEEDS} seeds did not notice`);
    });
  }
});
