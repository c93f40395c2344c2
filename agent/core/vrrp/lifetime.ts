import type { Micros } from "../time.ts";
import { micros, milliseconds, seconds } from "../time.ts";

/** How long the kernel keeps an address that nobody refreshes. */
export interface Lifetime {
  /** valid_lft: the kernel counts in whole seconds. */
  readonly seconds: number;
  /** Between two refreshes. */
  readonly refresh: Micros;
}

/** The kernel removes an address as early as this before its end. */
export const EARLY_END: Micros = milliseconds(250);

/** Refreshing more often than this would be for nothing. */
const QUICKEST_REFRESH = seconds(1);

/**
 * Where lifetimes are all there is, they are as short as the kernel knows them. One refresh may be
 * late, and none is missed.
 */
const SHORTEST: Lifetime = { seconds: 1, refresh: milliseconds(400) };

/**
 * Long enough that the address is still there when the gate in front of it has shut, one refresh late;
 * and a second for the kernel, which rounds. Refreshed as seldom as whole seconds leave room for, but so
 * often that the address outlives one refresh that is missed.
 */
export function lifetimeOf(interval: Micros, downTimerAdverts: number): Lifetime {
  const lease = (downTimerAdverts - 0.5) * interval;
  const often = Math.max(interval, QUICKEST_REFRESH);
  const surely = Math.ceil((lease + often) / seconds(1));
  const seldom = Math.min(seconds(surely) - lease, seconds(surely) / 2);
  return { seconds: surely + 1, refresh: micros(Math.max(often, seldom)) };
}

/**
 * For addresses without a gate. `undefined` where a backup takes over long before the kernel has
 * removed them: it takes as long as 2.25 s.
 */
export const lifetimeAlone = (interval: Micros, downTimerAdverts: number): Lifetime | undefined =>
  interval >= seconds(1) && downTimerAdverts * interval >= seconds(3) ? SHORTEST : undefined;
