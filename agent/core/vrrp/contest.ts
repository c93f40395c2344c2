import type { Instant, Micros } from "../time.ts";
import { after, later, milliseconds } from "../time.ts";
import type { Advertisement } from "./advertisement.ts";
import type { Held } from "./held.ts";
import { heardHolding, heldUntil } from "./held.ts";
import { longestLease } from "./lease.ts";
import type { VirtualRouter } from "./virtual-router.ts";

/**
 * Two backups of one priority claim at the same moment. Each hears of the other within this time, if
 * packets take no longer than half of it.
 */
export const CLAIM_GUARD = milliseconds(1);

/** Active, but the addresses may be reachable elsewhere, or soon: the gate stays shut. */
export interface Contest {
  readonly held: Held;
  /** Whoever claimed at the same moment was heard by then. */
  readonly guardUntil: Instant;
  /** The segment is being asked who holds the addresses. */
  readonly probing: boolean;
}

export const newContest = (held: Held, now: Instant): Contest => ({
  held,
  guardUntil: after(now, CLAIM_GUARD),
  probing: heldUntil(held) > now,
});

/** When the gate may open, whatever is answered. */
export const decidedAt = ({ held, guardUntil }: Contest): Instant =>
  later(heldUntil(held), guardUntil);

/** Until when a gate may be open for what was advertised now, at this interval. */
export const leaseEnd = (router: VirtualRouter, interval: Micros, now: Instant): Instant =>
  after(now, longestLease(interval, router.downTimerAdverts));

/** As long as somebody advertises, its gate may be open. */
export function heardInContest(
  router: VirtualRouter,
  contest: Contest,
  { source, maxAdvertiseInterval }: Advertisement,
  now: Instant,
): Contest {
  const interval = router.version === 3 ? maxAdvertiseInterval : router.advertisementInterval;
  const held = heardHolding(contest.held, source, leaseEnd(router, interval, now));
  return { ...contest, held, probing: true };
}
