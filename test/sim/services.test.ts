import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { SimulatedServices } from "./services/machine.ts";
import { production } from "./services/machine.ts";
import { MUTANTS } from "./services/mutants.ts";
import { runServicesTrial } from "./services/trial.ts";
import type { TrialResult } from "./trial.ts";
import { describeViolation } from "./trial.ts";

const SEEDS = 40;

/** A mistake that no seed of this many shows would not be found by a night of them either. */
const MUTANT_SEEDS = 60;

const folder = mkdtempSync(join(tmpdir(), `hf-sim-${process.pid}-`));
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (seed: number, machine: SimulatedServices): Promise<TrialResult> =>
  runServicesTrial(seed, machine, mkdtempSync(join(folder, "state-")));

test(`load balancing: every invariant holds over ${SEEDS} seeds of faults`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await run(seed, production);
    assert.ok(result.violation === undefined, describeViolation(result));
  }
});

test("load balancing: a seed replays exactly", async () => {
  assert.deepEqual(await run(7, production), await run(7, production));
});

describe("the checkers of load balancing bite", () => {
  for (const [name, machine] of Object.entries(MUTANTS)) {
    test(`when ${name}`, async () => {
      for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
        if ((await run(seed, machine)).violation !== undefined) return;
      }
      assert.fail(`${MUTANT_SEEDS} seeds did not notice`);
    });
  }
});
