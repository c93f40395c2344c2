import type { Micros } from "../time.ts";
import { centiseconds, micros, milliseconds, seconds } from "../time.ts";
import type { TimerSource } from "./timers.ts";
import { activeDownInterval } from "./timers.ts";

/** The clocks of two hosts run at rates that differ by no more than this. */
const CLOCK_RATE_BOUND = 1e-3;

/**
 * A kernel shuts this much later than it was told, at the most: it counts in ticks, and one whose
 * processors are given to others for moments may miss five before it makes up for them, of 4 ms where
 * there are 250 in a second. Measured on a busy machine: 16 ms.
 */
export const KERNEL_LATENESS = milliseconds(20);

/** In intervals. */
const SHORTEST_LEASE = 1.5;
const MARGIN = 0.25;

const NO_LEASE = { length: 0, margin: 0 };

/** The highest priority that may take over by waiting; 255 owns the addresses, and is not fenced. */
const HIGHEST_BACKUP = 254;

/** How long addresses stay reachable without another advertisement. */
export interface Lease {
  /** From the moment just before an advertisement left to the closing of the gate. */
  readonly length: Micros;
  /** The kernel may learn of an extension this late. */
  readonly margin: Micros;
  /** The gate has shut before any backup takes over, also one that does not ask whether it has. */
  readonly certain: boolean;
}

/**
 * Half an interval less than a backup waits at least, so that one advertisement may be late, and a
 * quarter of an interval for the kernel to learn of it. Where that leaves too little for how late the
 * kernel may shut, it is as short as it must be; but never so short that it ends before an advertisement
 * that is late by half an interval: then it is not certain. `undefined` where there is none: at
 * `down_timer_adverts` 1 it would run out between two advertisements.
 */
export function leaseOf(interval: Micros, downTimerAdverts: number): Lease | undefined {
  const usual = micros((downTimerAdverts - 0.5) * interval);
  const shortest = micros(SHORTEST_LEASE * interval);
  if (usual < shortest) return undefined;
  const margin = micros(MARGIN * interval);
  const inTime = earliestTakeover(interval, downTimerAdverts) - margin - KERNEL_LATENESS;
  const certain = inTime >= shortest;
  return { length: certain ? micros(Math.min(usual, inTime)) : usual, margin, certain };
}

/**
 * The shortest interval with a certain lease, in whole centiseconds as advert_int is;
 * `downTimerAdverts` is 2 or more.
 */
export function shortestCertainInterval(downTimerAdverts: number): Micros {
  const second = seconds(1);
  const slack = earliestTakeover(second, downTimerAdverts) / second - SHORTEST_LEASE - MARGIN;
  return centiseconds(Math.ceil(KERNEL_LATENESS / slack / centiseconds(1)));
}

/**
 * The longest that somebody else's gate may stay open after an advertisement of his was received, by
 * our clock, if he shares our `down_timer_adverts`.
 */
export function longestLease(interval: Micros, downTimerAdverts: number): Micros {
  const { length, margin } = leaseOf(interval, downTimerAdverts) ?? NO_LEASE;
  return micros(Math.ceil((length + margin + KERNEL_LATENESS) * (1 + CLOCK_RATE_BOUND)));
}

/** When the quickest backup, with the fastest clock, has waited long enough. */
function earliestTakeover(interval: Micros, downTimerAdverts: number): number {
  const quickest: TimerSource = { version: 3, priority: HIGHEST_BACKUP, downTimerAdverts };
  return activeDownInterval(quickest, interval) * (1 - CLOCK_RATE_BOUND);
}
