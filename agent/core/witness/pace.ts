import type { Instant, Micros } from "../time.ts";
import { after, micros, seconds, sooner } from "../time.ts";
import type { WitnessConfig, WitnessRequest, WitnessState } from "./witness.ts";

/** After a hint whoever waits asks within this part of a request's time. */
const HINT_PART = 8;

/** When to ask again, and the seed that is left. */
export interface Pace {
  readonly askAt: Instant;
  readonly seed: number;
}

/**
 * After a request in vain. A holder may not lose time: the next request goes when this one's time is
 * over at the latest, which is what the times of the configuration count on. Others wait longer each
 * time, up to the time of a renewal.
 */
export function paceOfFailure(
  { requestTime, renewEvery }: WitnessConfig,
  { failures, grant, seed }: WitnessState,
  request: WitnessRequest,
  now: Instant,
): Pace {
  if (grant.kind === "leased") {
    const soon = after(now, micros(requestTime / 4));
    return { askAt: sooner(soon, request.limitAt), seed };
  }
  const doubled = requestTime * 2 ** Math.min(failures, 16);
  return spread(micros(Math.min(doubled, renewEvery)), seed, now);
}

/** While somebody else holds it. */
export const paceOfWaiting = (config: WitnessConfig, seed: number, now: Instant): Pace =>
  spread(config.renewEvery, seed, now);

export const paceOfHint = (config: WitnessConfig, seed: number, now: Instant): Pace =>
  spread(micros(config.requestTime / HINT_PART), seed, now);

const BETWEEN_LOOKS = seconds(30);
/** That it serves again is worth knowing earlier. */
const BETWEEN_LOOKS_IN_VAIN = seconds(10);

/** For who wants nothing. */
export const paceOfLooks = (serves: boolean, seed: number, now: Instant): Pace =>
  spread(serves ? BETWEEN_LOOKS : BETWEEN_LOOKS_IN_VAIN, seed, now);

/** Between the half and the whole of the span, by the next number of the seed's sequence. */
function spread(span: Micros, seed: number, now: Instant): Pace {
  // Numerical Recipes' linear congruential generator: its high bits are good enough to spread.
  const next = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  const part = 0.5 + next / 2 ** 33;
  return { askAt: after(now, micros(span * part)), seed: next };
}
