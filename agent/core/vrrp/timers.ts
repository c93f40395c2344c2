import type { Instant, Micros } from "../time.ts";
import { micros } from "../time.ts";
import type { VirtualRouter } from "./virtual-router.ts";

/** The parts of a router that its timers depend on. */
export type TimerSource = Pick<VirtualRouter, "version" | "priority" | "downTimerAdverts">;

/**
 * Skew_Time: the higher the priority, the shorter; so the best backup is the first to claim.
 * v3: ((256 − priority) × Active_Adver_Interval) / 256, RFC 9568 §6.1. v2: ((256 − priority) / 256)
 * seconds whatever the interval, RFC 3768 §6.1. Multiplied before divided, so nothing is rounded away.
 */
export function skewTime(router: TimerSource, activeAdverInterval: Micros): Micros {
  const scale = router.version === 3 ? activeAdverInterval : 1_000_000;
  return micros(((256 - router.priority) * scale) / 256);
}

/** Active_Down_Interval: some advertisements missed (the RFC has 3), and the skew. RFC 9568 §6.1. */
export function activeDownInterval(router: TimerSource, activeAdverInterval: Micros): Micros {
  return micros(
    router.downTimerAdverts * activeAdverInterval + skewTime(router, activeAdverInterval),
  );
}

/**
 * The deadline after one that has just been met. Anchored to the old deadline, so that lateness does
 * not add up; after a stall of more than one interval anchored to now, so that nothing comes in bursts.
 */
export function nextDeadline(due: Instant, interval: Micros, now: Instant): Instant {
  const anchored = due + interval;
  return (anchored > now ? anchored : now + interval) as Instant;
}
