import type { Micros } from "../time.ts";
import { micros } from "../time.ts";
import type { TimerSource } from "./timers.ts";
import { activeDownInterval } from "./timers.ts";

/** The clocks of two hosts run at rates that differ by no more than this. */
const CLOCK_RATE_BOUND = 1e-3;

/** The highest priority that may take over by waiting; 255 owns the addresses, and is not fenced. */
const HIGHEST_BACKUP = 254;

/** How long addresses stay reachable without another advertisement. */
export interface Lease {
  /** From the moment just before an advertisement left to the closing of the gate. */
  readonly length: Micros;
  /** The kernel may learn of an extension this late, and close this late. */
  readonly margin: Micros;
}

/**
 * Half an interval less than a backup waits at least, so that one advertisement may be late, and a
 * quarter of an interval for the kernel. `undefined` where no lease is safe: at
 * `down_timer_adverts` 1 it would run out between two advertisements.
 */
export function leaseOf(interval: Micros, downTimerAdverts: number): Lease | undefined {
  const lease: Lease = {
    length: micros((downTimerAdverts - 0.5) * interval),
    margin: micros(interval / 4),
  };
  const outlivesAnInterval = lease.length >= 1.5 * interval;
  return outlivesAnInterval && runsOutInTime(lease, interval, downTimerAdverts) ? lease : undefined;
}

/**
 * The longest that somebody else's gate may stay open after an advertisement of his was received, by
 * our clock, if he shares our `down_timer_adverts`.
 */
export const longestLease = (interval: Micros, downTimerAdverts: number): Micros =>
  micros(Math.ceil((downTimerAdverts - 0.25) * interval * (1 + CLOCK_RATE_BOUND)));

/** The gate is shut before the quickest backup, with the fastest clock, opens its own. */
function runsOutInTime(lease: Lease, interval: Micros, downTimerAdverts: number): boolean {
  const quickest: TimerSource = { version: 3, priority: HIGHEST_BACKUP, downTimerAdverts };
  const earliestTakeover = activeDownInterval(quickest, interval) * (1 - CLOCK_RATE_BOUND);
  return lease.length + lease.margin <= earliestTakeover;
}
