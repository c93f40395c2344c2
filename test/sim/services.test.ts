import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { production } from "./services/machine.ts";
import { MUTANTS } from "./services/mutants.ts";
import { runServicesTrial } from "./services/trial.ts";
import { describeViolation } from "./trial.ts";

const SEEDS = 100;

/** A mistake that no seed of this many shows would not be found by a night of them either. */
const MUTANT_SEEDS = 100;

test(`load balancing: every invariant holds over ${SEEDS} seeds of faults`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await runServicesTrial(seed, production);
    assert.ok(result.violation === undefined, describeViolation(result));
  }
});

test("load balancing: a seed replays exactly", async () => {
  assert.deepEqual(await runServicesTrial(7, production), await runServicesTrial(7, production));
});

describe("the checkers of load balancing bite", () => {
  for (const [name, machine] of Object.entries(MUTANTS)) {
    test(`when ${name}`, async () => {
      for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
        if ((await runServicesTrial(seed, machine)).violation !== undefined) return;
      }
      assert.fail(`${MUTANT_SEEDS} seeds did not notice`);
    });
  }
});
