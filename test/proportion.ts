import assert from "node:assert/strict";
import process from "node:process";

/** Quadratic work takes 16 times as long for four times as much. */
const MOST = 8;
/** Collections of garbage fall where they will. */
const TRIES = 6;
/** Below this the clock says little. */
const LEAST_MS = 10;

/**
 * Fails when work grows faster than in proportion, from `count` to four times as much. It counts the
 * processor time of this thread, so that nobody else on the machine matters. Answers the ratio.
 */
export function staysInProportion(work: (count: number) => void, count: number): number {
  work(count);
  let least = Number.POSITIVE_INFINITY;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const small = timeOf(() => work(count));
    const large = timeOf(() => work(4 * count));
    least = Math.min(least, large / Math.max(small, LEAST_MS));
    if (least < MOST) return least;
  }
  return assert.fail(`four times as much takes ${least.toFixed(1)} times as long`);
}

function timeOf(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
