import type { Instant } from "../core/time.ts";
import { instant } from "../core/time.ts";
import type { Clock } from "../ports/clock.ts";

/**
 * The host's clocks. process.hrtime is CLOCK_MONOTONIC and, like process.hrtime.bigint and
 * performance.now, costs about 45 ns; it needs no BigInt and loses nothing at a long uptime.
 */
export const systemClock: Clock = {
  now: monotonicNow,
  wallClock: () => Date.now(),
};

function monotonicNow(): Instant {
  const [seconds, nanoseconds] = process.hrtime();
  return instant(seconds * 1_000_000 + nanoseconds / 1_000);
}
