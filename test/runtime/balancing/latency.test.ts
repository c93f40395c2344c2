import assert from "node:assert/strict";
import { test } from "node:test";
import { BUCKETS, Durations, latencyOf } from "../../../agent/runtime/balancing/latency.ts";
import type { Attachment } from "../../../agent/runtime/balancing/looks.ts";

const taken = (...list: readonly number[]): Durations => {
  const durations = new Durations();
  for (const ms of list) durations.take(ms);
  return durations;
};

/** 7 % apart, so at most half of that aside. */
function near(found: number | undefined, wanted: number): void {
  assert.ok(found !== undefined && Math.abs(found / wanted - 1) < 0.036, `${found}, not ${wanted}`);
}

test("nothing is known before a run has succeeded", () => {
  assert.equal(taken().latency(), undefined);
});

test("the middle and the slowest of what was seen lately, as near as 3.5 %", () => {
  for (const ms of [0.05, 0.7, 3.3, 42, 999, 60_000]) {
    const latency = taken(ms).latency();
    assert.equal(latency?.last, ms);
    near(latency?.p50, ms);
    near(latency?.p99, ms);
  }
  const latency = taken(...Array.from({ length: 64 }, (_, at) => at + 1)).latency();
  near(latency?.p50, 32);
  near(latency?.p99, 64);
});

test("what it was 64 runs ago plays no part, and still counts in all", () => {
  const durations = taken(...new Array<number>(1_000).fill(200));
  for (let run = 0; run < 64; run += 1) durations.take(3);
  near(durations.latency()?.p99, 3);
  assert.equal(durations.count, 1_064);
  assert.equal(durations.sumMs, 200_192);
  assert.equal(durations.counts[BUCKETS.indexOf(0.25)], 1_000);
  assert.equal(durations.counts[BUCKETS.indexOf(0.005)], 64);
});

test("any number has its place: none is lost, and none is out of bounds", () => {
  const durations = taken(0, 1, 10_000, 10_001, 1e9);
  assert.equal(durations.counts.length, BUCKETS.length + 1);
  assert.deepEqual(
    [...durations.counts],
    [2, ...new Array<number>(BUCKETS.length - 2).fill(0), 1, 2],
  );
  assert.ok((durations.latency()?.p99 ?? 0) > 300_000);
});

test("a real server is as slow as its slowest check, whatever the others' last run was", () => {
  const of = (durations: Durations | undefined) => ({ look: { durations } }) as Attachment;
  const page = taken(30, 30, 1);
  assert.deepEqual(latencyOf([of(taken(0.2, 0.2, 90)), of(undefined), of(page)]), page.latency());
  assert.equal(latencyOf([of(undefined), of(taken())]), undefined);
});
