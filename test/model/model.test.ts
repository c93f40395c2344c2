import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { production } from "../sim/machine.ts";
import { MUTANTS } from "../sim/mutants.ts";
import type { Bounds } from "./search.ts";
import { search } from "./search.ts";

const BOUNDS: Bounds = { nodes: 2, preempt: true, faults: 1, limit: 400_000 };

/** Each alone lets hosts reach two nodes. */
const FATAL = [
  "a new active router opens its gate at once",
  "who was silent for too long goes on as if nothing were",
  "two who claim at once do not wait for each other",
  "an active router ignores higher priorities",
];

for (const preempt of [true, false]) {
  test(`of two nodes hosts reach one at most, in every world there is, with preempt ${preempt}`, () => {
    const { worlds, reachable, complete, counterexample } = search(production, {
      ...BOUNDS,
      preempt,
    });
    assert.equal(counterexample, undefined, JSON.stringify(counterexample, undefined, 1));
    assert.ok(complete, `${worlds} worlds, and more`);
    assert.ok(reachable > worlds / 10, `hosts reach somebody in ${reachable} of ${worlds} worlds`);
  });
}

describe("the search finds the way to two", () => {
  for (const name of FATAL) {
    test(`when ${name}`, () => {
      const machine = MUTANTS[name];
      assert.ok(machine !== undefined);
      assert.notEqual(search(machine, BOUNDS).counterexample, undefined);
    });
  }
});
