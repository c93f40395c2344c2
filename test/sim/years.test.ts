import assert from "node:assert/strict";
import { test } from "node:test";
import { production } from "./machine.ts";
import { describeViolation } from "./trial.ts";
import type { Life, LifeResult } from "./years.ts";
import { ONE_YEAR, runLife } from "./years.ts";

interface Change {
  readonly node: string;
  readonly to: string;
  readonly reason: string;
  /** Since the group began to live, microseconds. */
  readonly at: number;
}

function livedThrough(seed: number, life: Life): { changes: Change[]; result: LifeResult } {
  const changes: Change[] = [];
  const result = runLife(seed, production, life, (age) => ({
    effect(node, effect) {
      if (effect.kind !== "transition") return;
      changes.push({ node: node.name, to: effect.to, reason: effect.reason, at: age() });
    },
    settled: () => undefined,
  }));
  assert.ok(result.violation === undefined, describeViolation(result));
  return { changes, result };
}

/** As many are gone through minute by minute. */
const SEEDS = 6;

/** Clocks count in whole microseconds. */
const SAME_TIME = 20;

test("quiet time that is skipped changes nothing", { timeout: 60_000 }, () => {
  let skipped = 0;
  let lived = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const life = { span: 15 * 60e6, faults: 12, skips: true };
    const short = livedThrough(seed, life);
    const long = livedThrough(seed, { ...life, skips: false });
    skipped += short.result.skipped;
    lived += long.result.lived;
    const names = (changes: readonly Change[]) =>
      changes.map(({ node, to, reason }) => `${node} ${to} ${reason}`);
    assert.deepEqual(names(short.changes), names(long.changes), `seed ${seed}`);
    for (const [i, change] of short.changes.entries()) {
      const apart = Math.abs(change.at - (long.changes[i]?.at ?? 0));
      assert.ok(apart <= SAME_TIME, `seed ${seed}, change ${i}: ${apart} µs apart`);
    }
  }
  assert.ok(skipped > lived / 3, `${skipped} of ${lived}`);
});

/** Of a twentieth of a year each. */
const LIVES = 20;

test("every invariant holds over years of groups", { timeout: 60_000 }, () => {
  const years = 0.05;
  const life = { ...ONE_YEAR, span: years * ONE_YEAR.span, faults: years * ONE_YEAR.faults };
  for (let seed = 1; seed <= LIVES; seed++) {
    const result = runLife(seed, production, life);
    assert.ok(result.violation === undefined, describeViolation(result));
  }
});
