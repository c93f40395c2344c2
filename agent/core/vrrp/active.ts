import { compareAddresses } from "../address.ts";
import { assertNever } from "../assert.ts";
import type { Instant } from "../time.ts";
import { after, micros, milliseconds, since, sooner } from "../time.ts";
import type { Advertisement } from "./advertisement.ts";
import { alarms, isOwnAddress } from "./alarms.ts";
import { announceAgainstRival, announceWhenDue, rescheduleRefresh } from "./announcing.ts";
import type { TransitionReason, VrrpEffect } from "./effect.ts";
import type { VrrpTransition } from "./entry.ts";
import { backupState, becomeFaulty, release, stay, stop, transition } from "./entry.ts";
import type { VrrpEvent } from "./event.ts";
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
  switch (event.kind) {
    case "tick":
      return tick(router, state, now);
    case "advertisement":
      return hear(router, state, event.advertisement, now);
    case "fault-raised":
      return becomeFaulty("active", [event.fault]);
    case "group-backup":
      return stepDown(router, "sync-group", now);
    case "configured":
      return stay(reconfigure(router, event.previous, state, now));
    case "shutdown":
      return stop("active");
    case "startup":
    case "fault-cleared":
    case "group-active":
      return stay(state);
    default:
      return assertNever(event);
  }
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
    if (!mayAdvertise(state, now)) return stay(advertiseSoon(state));
    const adverAt = after(now, router.advertisementInterval);
    return {
      state: { ...state, adverAt, advertisedAt: now },
      effects: [{ kind: "send-advertisement", priority: router.priority }],
    };
  }
  // Answering an echo of ourselves would only make more of it.
  if (isOwnAddress(router, advertisement)) return stay(state);
  const better = superiority(router, advertisement);
  if (better !== undefined) {
    const yielded = giveWay(router, advertisement, better, now);
    if (!router.higherPrioSendAdvert) return yielded;
    const parting: VrrpEffect = { kind: "send-advertisement", priority: router.priority };
    return { state: yielded.state, effects: [parting, ...yielded.effects] };
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

/** The sender is active from now on; it needs no resignation to know. */
function giveWay(
  router: VirtualRouter,
  { priority, source, maxAdvertiseInterval }: Advertisement,
  reason: TransitionReason,
  now: Instant,
): VrrpTransition {
  const interval = router.version === 3 ? maxAdvertiseInterval : router.advertisementInterval;
  return {
    state: backupState(router, now, interval, { address: source, priority }),
    effects: [...release(0), transition("active", "backup", reason)],
  };
}

/** A worse claim: say at once who is active. The advertisement that is due stays due. */
function assertActive(
  router: VirtualRouter,
  state: ActiveState,
  advertisement: Advertisement,
  now: Instant,
): VrrpTransition {
  const watched = watchRival(router, state, advertisement, now);
  const announced = announceAgainstRival(router, watched.state, now);
  const told = [...announced.effects, ...watched.effects];
  if (router.lowerPrioNoAdvert) return { state: announced.state, effects: told };
  if (!mayAdvertise(state, now)) return { state: advertiseSoon(announced.state), effects: told };
  return {
    state: { ...announced.state, advertisedAt: now },
    effects: [{ kind: "send-advertisement", priority: router.priority }, ...told],
  };
}

/** One that goes on for three intervals does not hear us: the link is one-way. */
function watchRival(
  router: VirtualRouter,
  state: ActiveState,
  { source, maxAdvertiseInterval }: Advertisement,
  now: Instant,
): { readonly state: ActiveState; readonly effects: readonly VrrpEffect[] } {
  const patience = micros(3 * Math.max(router.advertisementInterval, maxAdvertiseInterval));
  const { rival } = state;
  const goesOn = rival !== undefined && since(rival.heardAt, now) <= patience;
  const begun = goesOn ? rival.since : now;
  const effects: readonly VrrpEffect[] =
    since(begun, now) > micros(3 * router.advertisementInterval)
      ? [{ kind: "alarm", alarm: "rival-heard", from: source }]
      : [];
  return { state: { ...state, rival: { since: begun, heardAt: now } }, effects };
}

const mayAdvertise = (state: ActiveState, now: Instant): boolean =>
  since(state.advertisedAt, now) >= PROVOKED_ADVERTISEMENT_SPACING;

const advertiseSoon = (state: ActiveState): ActiveState => ({
  ...state,
  adverAt: sooner(state.adverAt, after(state.advertisedAt, PROVOKED_ADVERTISEMENT_SPACING)),
});

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
): ActiveState {
  const fresh = after(now, router.advertisementInterval);
  const refreshChanged =
    router.announcement.refreshInterval !== previous.announcement.refreshInterval;
  return {
    ...state,
    adverAt: sooner(fresh, state.adverAt),
    refreshAt: refreshChanged ? rescheduleRefresh(router, state, now) : state.refreshAt,
  };
}
