import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SimulatedMachine } from "./machine.ts";
import { MANDATE_MUTANTS } from "./mandate-mutants.ts";
import { MUTANTS } from "./mutants.ts";
import type { Focus } from "./trial.ts";
import { runTrial } from "./trial.ts";

/** A mistake that no seed of this many shows would not be found by a night of them either. */
const MUTANT_SEEDS = 350;
const ASKING_SEEDS = 100;

function isNoticed(machine: SimulatedMachine, focuses: readonly Focus[]): void {
  for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
    // Who asks is in trouble enough with each of few seeds.
    for (const focus of seed > ASKING_SEEDS ? focuses.slice(0, 1) : focuses) {
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
    test(`when ${name}`, () => isNoticed(machine, ["any", "asking", "guarded"]));
  }
});
