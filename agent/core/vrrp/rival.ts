import type { Instant, Micros } from "../time.ts";
import { after, later, micros, seconds, since } from "../time.ts";
import type { Advertisement } from "./advertisement.ts";
import type { Announcing } from "./announcing.ts";
import { announceAgain } from "./announcing.ts";
import type { VrrpEffect } from "./effect.ts";
import type { ActiveState, Rival } from "./state.ts";
import type { VirtualRouter } from "./virtual-router.ts";

/** One that goes on for longer than so many intervals does not hear us: the link is one-way. */
const INTERVALS_HEARD = 3;

/**
 * At short intervals three of them are less than a busy host needs to hear us and let go. One that stood
 * still for longer than this would be killed by its supervisor (SHORTEST_STALL_MS); a one-way link lasts.
 */
const SHORTEST_ALARM = seconds(1);

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
  const patience = Math.max(INTERVALS_HEARD * router.advertisementInterval, SHORTEST_ALARM);
  const deaf = since(begun, now) > patience;
  const interval = Math.max(router.advertisementInterval, maxAdvertiseInterval);
  const rival: Rival = {
    from: source,
    since: begun,
    ...silences(known, interval, now),
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
  const ends = silences(known, router.advertisementInterval, now);
  const { since: begun, alarmed = false } = known ?? { since: undefined };
  return { ...state, rival: { from: known?.from ?? from, since: begun, ...ends, alarmed } };
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
  if (rival === undefined) return { state, effects: [] };
  const quiet = rival.quietAt !== undefined && now >= rival.quietAt;
  const over = now >= rival.endsAt;
  const left = over ? undefined : { ...rival, quietAt: quiet ? undefined : rival.quietAt };
  const next = { ...state, rival: left };
  return {
    state: quiet ? announceAgain(router, next, now) : next,
    effects: over ? rivalOver(rival) : [],
  };
}

/** Whatever ended it: what was said of it is over. */
export const rivalOver = (rival: Rival | undefined): readonly VrrpEffect[] =>
  rival?.alarmed === true ? [{ kind: "alarm-over", alarm: "rival-heard", from: rival.from }] : [];

/**
 * Hosts are not to wait for their announcements. Of the rival itself more is needed to say that it has
 * ended: on busy hosts a gap of some short intervals is none.
 */
function silences(
  known: Rival | undefined,
  interval: number,
  now: Instant,
): Pick<Rival, "quietAt" | "endsAt"> {
  const silence: Micros = micros(INTERVALS_SILENT * interval);
  const longer: Micros = micros(Math.max(silence, SHORTEST_ALARM));
  return {
    quietAt: later(known?.quietAt ?? now, after(now, silence)),
    endsAt: later(known?.endsAt ?? now, after(now, longer)),
  };
}
