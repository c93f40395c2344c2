import type { Instant, Micros } from "../time.ts";
import { after, later, micros, since } from "../time.ts";
import type { Advertisement } from "./advertisement.ts";
import type { Announcing } from "./announcing.ts";
import { announceAgain } from "./announcing.ts";
import type { VrrpEffect } from "./effect.ts";
import type { ActiveState, Rival } from "./state.ts";
import type { VirtualRouter } from "./virtual-router.ts";

/** One that goes on for longer than so many intervals does not hear us: the link is one-way. */
const INTERVALS_HEARD = 3;

/** Half an interval more, so that the last of the three is not missed for being late. */
const INTERVALS_SILENT = 3.5;

/** An admitted claim that is worse than ours. Its sender should have fallen silent at our answer. */
export function watchRival(
  router: VirtualRouter,
  state: ActiveState,
  { source, maxAdvertiseInterval }: Advertisement,
  now: Instant,
): Announcing {
  const known = state.rival;
  const goesOn = known?.since !== undefined && now <= known.endsAt;
  const begun = goesOn ? (known.since ?? now) : now;
  const alarmed = known?.alarmed === true;
  const deaf = since(begun, now) > micros(INTERVALS_HEARD * router.advertisementInterval);
  const interval = Math.max(router.advertisementInterval, maxAdvertiseInterval);
  const rival: Rival = {
    from: source,
    since: begun,
    endsAt: endOf(known, interval, now),
    alarmed: alarmed || deaf,
  };
  const effects: readonly VrrpEffect[] =
    deaf && !alarmed ? [{ kind: "alarm", alarm: "rival-heard", from: source }] : [];
  return { state: { ...state, rival }, effects };
}

/**
 * A claim of our addresses that counts for nothing, as it was refused. It is not announced against: its
 * sender may refuse ours as well, and the hosts would be drawn to and fro.
 */
export function watchClaim(
  router: VirtualRouter,
  state: ActiveState,
  from: string,
  now: Instant,
): ActiveState {
  const known = state.rival;
  const endsAt = endOf(known, router.advertisementInterval, now);
  const { since: begun, alarmed = false } = known ?? { since: undefined };
  return { ...state, rival: { from: known?.from ?? from, since: begun, endsAt, alarmed } };
}

/** It has let go of the addresses by itself. */
export function rivalResigned(state: ActiveState, { source }: Advertisement): Announcing {
  const { rival } = state;
  return rival?.from === source
    ? { state: { ...state, rival: undefined }, effects: rivalOver(rival) }
    : { state, effects: [] };
}

/** Nothing was heard of it for long enough: hosts may have learned its announcements last. */
export function endRival(router: VirtualRouter, state: ActiveState, now: Instant): Announcing {
  const { rival } = state;
  if (rival === undefined || now < rival.endsAt) return { state, effects: [] };
  return {
    state: announceAgain(router, { ...state, rival: undefined }, now),
    effects: rivalOver(rival),
  };
}

/** Whatever ended it: what was said of it is over. */
export const rivalOver = (rival: Rival | undefined): readonly VrrpEffect[] =>
  rival?.alarmed === true ? [{ kind: "alarm-over", alarm: "rival-heard", from: rival.from }] : [];

const endOf = (known: Rival | undefined, interval: number, now: Instant): Instant => {
  const silence: Micros = micros(INTERVALS_SILENT * interval);
  return later(known?.endsAt ?? now, after(now, silence));
};
