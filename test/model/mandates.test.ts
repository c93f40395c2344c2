import assert from "node:assert/strict";
import { test } from "node:test";
import { production } from "../sim/machine.ts";
import { MANDATE_MUTANTS } from "../sim/mandate-mutants.ts";
import { mandateSpace } from "./mandates.ts";
import { explore } from "./search.ts";

/** So many things happen in a row, of all that may. */
const EXTENT = { limit: 100_000, depth: 9 };

test("of two hosts that want one lease one has its gate open, whatever is lost, late or stands still", {
  timeout: 60_000,
}, () => {
  const { worlds, reachable, complete, counterexample } = explore(mandateSpace(production), EXTENT);
  assert.equal(counterexample, undefined, JSON.stringify(counterexample, undefined, 1));
  assert.ok(complete, `${worlds} worlds, and more`);
  assert.ok(reachable > 500, `a gate is open in ${reachable} of ${worlds} worlds`);
});

test("the search finds the way to two, when a lease counts for its whole time", {
  timeout: 60_000,
}, () => {
  const machine = MANDATE_MUTANTS["a lease counts for its whole time"];
  assert.ok(machine !== undefined);
  assert.notEqual(explore(mandateSpace(machine), EXTENT).counterexample, undefined);
});
