import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GUARD_MUTANTS } from "./guard-mutants.ts";
import { production } from "./machine.ts";
import { describeViolation, runTrial } from "./trial.ts";

const SEEDS = 250;
const MUTANT_SEEDS = 100;

test(`every promise of failsafe and of fence agents holds over ${SEEDS} seeds`, {
  timeout: 120_000,
}, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = runTrial(seed, production, "guarded");
    assert.ok(result.violation === undefined, describeViolation(result));
  }
});

describe("the checkers bite", { timeout: 120_000 }, () => {
  for (const [name, machine] of Object.entries(GUARD_MUTANTS)) {
    test(`when ${name}`, () => {
      for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
        if (runTrial(seed, machine, "guarded").violation !== undefined) return;
      }
      assert.fail(`${MUTANT_SEEDS} seeds did not notice`);
    });
  }
});
