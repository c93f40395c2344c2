import { compareAddresses } from "../address.ts";
import { assertNever } from "../assert.ts";
import type { Instant } from "../time.ts";
import { after, milliseconds, since, sooner } from "../time.ts";
import type { Advertisement } from "./advertisement.ts";
import { alarms, isOwnAddress } from "./alarms.ts";
import type { Announcing } from "./announcing.ts";
import { announceAgainstRival, announceWhenDue, rescheduleRefresh } from "./announcing.ts";
import type { Contest } from "./contest.ts";
import { decidedAt, heardInContest, leaseEnd, newContest } from "./contest.ts";
import type { TransitionReason, VrrpEffect } from "./effect.ts";
import type { VrrpTransition } from "./entry.ts";
import { backupState, becomeFaulty, release, stay, stop, transition } from "./entry.ts";
import type { VrrpEvent } from "./event.ts";
import { listening, resignedHolding } from "./held.ts";
import { leaseOf } from "./lease.ts";
import { endRival, rivalOver, rivalResigned, watchClaim, watchRival } from "./rival.ts";
import type { ActiveState } from "./state.ts";
import { activeDownInterval, nextDeadline } from "./timers.ts";
import type { VirtualRouter } from "./virtual-router.ts";
import { OWNER_PRIORITY, preempts, RELEASE_PRIORITY } from "./virtual-router.ts";

/** However many packets provoke an advertisement, one leaves per this span; the next one waits. */
export const PROVOKED_ADVERTISEMENT_SPACING = milliseconds(10);

/** RFC 9568 §6.4.3. */
export function stepActive(
  router: VirtualRouter,
  state: ActiveState,
  event: VrrpEvent,
  now: Instant,
): VrrpTransition {
  const next = react(router, state, event, now);
  if (next.state.kind === "active") return next;
  return { state: next.state, effects: [...rivalOver(state.rival), ...next.effects] };
}

function react(
  router: VirtualRouter,
  state: ActiveState,
  event: VrrpEvent,
  now: Instant,
): VrrpTransition {
  switch (event.kind) {
    case "tick":
      return wake(router, state, now);
    case "foreign-claim":
      return stay(watchClaim(router, state, event.from, now));
    case "advertisement":
      return hear(router, state, event.advertisement, now);
    case "fault-raised":
      return becomeFaulty("active", [event.fault]);
    case "group-backup":
      return stepDown(router, "sync-group", now);
    case "mandate-lost":
      return stepDown(router, "mandate-lost", now);
    case "configured":
      return reconfigure(router, event.previous, state, now);
    case "holder-silent":
      return state.contest === undefined ? stay(state) : open(router, state, now);
    case "lease-lapsed":
    case "suspended":
      return router.fenced ? contestAnew(router, state, now) : stay(state);
    case "shutdown":
      return stop("active");
    case "startup":
    case "fault-cleared":
    case "group-active":
    case "holder-elsewhere":
      return stay(state);
    default:
      return assertNever(event);
  }
}

function wake(router: VirtualRouter, before: ActiveState, now: Instant): VrrpTransition {
  const { state, effects } = endRival(router, before, now);
  const next =
    state.contest === undefined
      ? tick(router, state, now)
      : tickInContest(router, state, state.contest, now);
  // Who leaves says so by itself.
  return next.state.kind === "active"
    ? { state: next.state, effects: [...next.effects, ...effects] }
    : next;
}

function tick(router: VirtualRouter, state: ActiveState, now: Instant): VrrpTransition {
  if (now < state.adverAt) return announceWhenDue(router, state, now);
  if (wasOvertaken(router, state, now)) return stepDown(router, "timer-expired", now);
  const adverAt = nextDeadline(state.adverAt, router.advertisementInterval, now);
  const announced = announceWhenDue(router, { ...state, adverAt, advertisedAt: now }, now);
  return {
    state: announced.state,
    effects: [{ kind: "send-advertisement", priority: router.priority }, ...announced.effects],
  };
}

/** The addresses are ours alone: hosts may reach them, and are told where they are. */
function open(router: VirtualRouter, state: ActiveState, now: Instant): Announcing {
  const { repeat, delay, refreshInterval } = router.announcement;
  return {
    state: {
      ...state,
      contest: undefined,
      announcedAt: now,
      announceAt: delay > 0 ? after(now, delay) : undefined,
      announceRepeat: repeat,
      refreshAt: refreshInterval > 0 ? after(now, refreshInterval) : undefined,
    },
    effects: [
      ...(router.fenced ? [{ kind: "open-addresses" } as const] : []),
      { kind: "announce-addresses", repeat },
    ],
  };
}

/** Its end counts only for who was there to hear of others: not after a stall. */
function tickInContest(
  router: VirtualRouter,
  state: ActiveState,
  contest: Contest,
  now: Instant,
): VrrpTransition {
  const lease = leaseOf(router.advertisementInterval, router.downTimerAdverts);
  if (lease !== undefined && since(state.advertisedAt, now) > lease.length) {
    const anew = contestAnew(router, state, now);
    const advertised = tick(router, anew.state, now);
    return { state: advertised.state, effects: [...advertised.effects, ...anew.effects] };
  }
  return now >= decidedAt(contest) ? open(router, state, now) : tick(router, state, now);
}

/** Whoever took over while we were silent is found by asking, or its lease runs out. */
function contestAnew(router: VirtualRouter, state: ActiveState, now: Instant): Announcing {
  const held = listening(leaseEnd(router, router.advertisementInterval, now));
  return {
    state: { ...state, contest: newContest(held, now) },
    effects: [{ kind: "probe-holder" }],
  };
}

/** We were silent for so long that a backup took over, and it may keep what it has. */
function wasOvertaken(router: VirtualRouter, state: ActiveState, now: Instant): boolean {
  if (preempts(router) || router.timerExpiredBackup === undefined) return false;
  const rival = { ...router, priority: router.timerExpiredBackup };
  return since(state.advertisedAt, now) >= activeDownInterval(rival, router.advertisementInterval);
}

function hear(
  router: VirtualRouter,
  state: ActiveState,
  advertisement: Advertisement,
  now: Instant,
): VrrpTransition {
  if (router.priority === OWNER_PRIORITY && router.ownerIgnoreAdverts) return stay(state);
  const found = alarms(router, advertisement);
  const answer = respond(router, state, advertisement, now);
  return found.length === 0
    ? answer
    : { state: answer.state, effects: [...found, ...answer.effects] };
}

function respond(
  router: VirtualRouter,
  state: ActiveState,
  advertisement: Advertisement,
  now: Instant,
): VrrpTransition {
  if (advertisement.priority === RELEASE_PRIORITY) {
    // Who resigns held the addresses too: the hosts may have learned its announcements.
    const ended = rivalResigned(resignedIn(state, advertisement), advertisement);
    const announced = announceAgainstRival(router, ended.state, now);
    const effects = [...announced.effects, ...ended.effects];
    return answerAtOnce(router, { state: announced.state, effects }, now);
  }
  // Answering an echo of ourselves would only make more of it.
  if (isOwnAddress(router, advertisement)) return stay(state);
  const better = superiority(router, advertisement);
  if (better !== undefined) {
    return giveWay(router, advertisement, better, now);
  }
  if (wasOvertaken(router, state, now)) {
    return giveWay(router, advertisement, "timer-expired", now);
  }
  return assertActive(router, state, advertisement, now);
}

/** Why the sender has the better claim; `undefined` when we have. Preempt mode plays no part. */
function superiority(
  router: VirtualRouter,
  { priority, source }: Advertisement,
): TransitionReason | undefined {
  if (priority > router.priority) return "higher-priority";
  if (priority < router.priority) return undefined;
  const higher =
    router.primaryAddress === undefined || compareAddresses(source, router.primaryAddress) > 0;
  return higher ? "equal-priority-higher-address" : undefined;
}

/**
 * The sender is active from now on. The parting advertisement, sent when the addresses are gone, lets
 * it know of us, so that it announces the addresses once more: hosts may have learned ours last.
 */
function giveWay(
  router: VirtualRouter,
  { priority, source, maxAdvertiseInterval }: Advertisement,
  reason: TransitionReason,
  now: Instant,
): VrrpTransition {
  const interval = router.version === 3 ? maxAdvertiseInterval : router.advertisementInterval;
  const parting: readonly VrrpEffect[] = router.higherPrioSendAdvert
    ? [{ kind: "send-advertisement", priority: router.priority }]
    : [];
  return {
    state: backupState(router, now, interval, { address: source, priority }),
    effects: [...release(0), ...parting, transition("active", "backup", reason)],
  };
}

/** A worse claim: say at once who is active. */
function assertActive(
  router: VirtualRouter,
  state: ActiveState,
  advertisement: Advertisement,
  now: Instant,
): VrrpTransition {
  const watched = watchRival(router, state, advertisement, now);
  const contested = prolongContest(router, watched.state, advertisement, now);
  const announced = announceAgainstRival(router, contested.state, now);
  const effects = [...announced.effects, ...contested.effects, ...watched.effects];
  const told = { state: announced.state, effects };
  return router.lowerPrioNoAdvert ? told : answerAtOnce(router, told, now);
}

/** It may go on holding the addresses until it hears us: then they are not ours alone yet. */
function prolongContest(
  router: VirtualRouter,
  state: ActiveState,
  advertisement: Advertisement,
  now: Instant,
): Announcing {
  if (state.contest === undefined) return { state, effects: [] };
  const contest = heardInContest(router, state.contest, advertisement, now);
  return {
    state: { ...state, contest },
    effects: state.contest.probing ? [] : [{ kind: "probe-holder" }],
  };
}

const resignedIn = (state: ActiveState, { source }: Advertisement): ActiveState =>
  state.contest === undefined
    ? state
    : {
        ...state,
        contest: { ...state.contest, held: resignedHolding(state.contest.held, source) },
      };

/**
 * Advertises now, or as soon as the spacing allows. Only an advertisement that leaves re-arms the
 * timer: however much is received, the gap between two of ours stays within the interval.
 */
function answerAtOnce(
  router: VirtualRouter,
  { state, effects }: Announcing,
  now: Instant,
): VrrpTransition {
  const allowedAt = after(state.advertisedAt, PROVOKED_ADVERTISEMENT_SPACING);
  if (now < allowedAt) {
    return { state: { ...state, adverAt: sooner(state.adverAt, allowedAt) }, effects };
  }
  const adverAt = after(now, router.advertisementInterval);
  return {
    state: { ...state, adverAt, advertisedAt: now },
    effects: [{ kind: "send-advertisement", priority: router.priority }, ...effects],
  };
}

/** Leaves of our own accord: whoever is next is told to hurry. */
const stepDown = (router: VirtualRouter, reason: TransitionReason, now: Instant) => ({
  state: backupState(router, now),
  effects: [...release(1), transition("active", "backup", reason)],
});

/** Whatever changed, the next advertisement is never later than it was to be. */
function reconfigure(
  router: VirtualRouter,
  previous: VirtualRouter,
  state: ActiveState,
  now: Instant,
): VrrpTransition {
  const fresh = after(now, router.advertisementInterval);
  const refreshChanged =
    router.announcement.refreshInterval !== previous.announcement.refreshInterval;
  const next: ActiveState = {
    ...state,
    adverAt: sooner(fresh, state.adverAt),
    refreshAt: refreshChanged ? rescheduleRefresh(router, state, now) : state.refreshAt,
  };
  if (router.fenced === previous.fenced) return stay(next);
  if (router.fenced) return { state: next, effects: [{ kind: "open-addresses" }] };
  return next.contest === undefined ? stay(next) : open(router, next, now);
}
