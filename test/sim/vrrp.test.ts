import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SimulatedMachine } from "./machine.ts";
import { production } from "./machine.ts";
import { MANDATE_MUTANTS } from "./mandate-mutants.ts";
import { MUTANTS } from "./mutants.ts";
import type { Focus } from "./trial.ts";
import { describeViolation, runTrial } from "./trial.ts";

const SEEDS = 2_000;
/** Of groups that require a lease alone, whose trouble is with the store. */
const ASKING_SEEDS = 500;

/** A mistake that no seed of this many shows would not be found by a night of them either. */
const MUTANT_SEEDS = 300;

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

function isNoticed(machine: SimulatedMachine, focuses: readonly Focus[]): void {
  for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
    for (const focus of focuses) {
      if (runTrial(seed, machine, focus).violation !== undefined) return;
    }
  }
  assert.fail(`${MUTANT_SEEDS} seeds did not notice`);
}

describe("the checkers bite", () => {
  for (const [name, machine] of Object.entries(MUTANTS)) {
    test(`when ${name}`, () => isNoticed(machine, ["any"]));
  }
  for (const [name, machine] of Object.entries(MANDATE_MUTANTS)) {
    test(`when ${name}`, () => isNoticed(machine, ["any", "asking"]));
  }
});
