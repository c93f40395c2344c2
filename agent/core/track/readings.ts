import type { BoardState } from "./board.ts";
import { board, ownValue } from "./board.ts";
import type { Claim, ClaimEffect, Reading, TrackerId } from "./tracking.ts";

/** Of a tracker that was just configured. */
export const NO_READING: Reading = {
  verdict: "unknown",
  value: 0,
  reason: "no result yet",
  presumed: true,
};

const failed = (reading: Reading): Reading => ({
  ...reading,
  verdict: "failed",
  reason: "no director",
});

/**
 * What trackers found. What is only presumed, as a tracker was just started, leaves what was found
 * before: a director that was replaced neither lifts a fault nor raises one before it has looked.
 */
export const readings = board<Reading>((before, said, lapsed) => {
  if (said.presumed !== true) return said;
  if (lapsed) return failed(before ?? said);
  return before === undefined || before.presumed === true ? said : before;
});

/** What policies claim, by router. */
export const claims = board<readonly Claim[]>();

/** What holds of a tracker now. Without anybody to keep it up, every tracker has failed. */
export function readingOf({ entries, lapsed }: BoardState<Reading>, tracker: TrackerId): Reading {
  const reading = ownValue(entries, tracker) ?? NO_READING;
  return lapsed ? failed(reading) : reading;
}

/** One part that policies have in a router, with its name. */
export interface ClaimInForce {
  readonly source: string;
  readonly effect: ClaimEffect;
}

/** What holds of a router now: the claims, or what was claimed for this case. */
export const claimsOn = (
  { entries, lapsed }: BoardState<readonly Claim[]>,
  router: string,
): readonly ClaimInForce[] =>
  (ownValue(entries, router) ?? []).map(({ source, effect, otherwise }) => ({
    source,
    effect: lapsed ? otherwise : effect,
  }));
