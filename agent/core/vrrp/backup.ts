import { assertNever } from "../assert.ts";
import type { Instant, Micros } from "../time.ts";
import { after, milliseconds, seconds, since, sooner } from "../time.ts";
import type { Advertisement } from "./advertisement.ts";
import { alarms } from "./alarms.ts";
import { leaseEnd } from "./contest.ts";
import type { TransitionReason } from "./effect.ts";
import type { VrrpTransition } from "./entry.ts";
import { backupState, becomeActive, becomeFaulty, NEW_REQUEST, stay, stop } from "./entry.ts";
import type { VrrpEvent } from "./event.ts";
import type { Held } from "./held.ts";
import { heardHolding, listening, resignedHolding } from "./held.ts";
import type { BackupState, HeardActive, LeaveRequest } from "./state.ts";
import { activeDownInterval, skewTime } from "./timers.ts";
import type { VirtualRouter } from "./virtual-router.ts";
import { OWNER_PRIORITY, preempts, RELEASE_PRIORITY } from "./virtual-router.ts";

/**
 * After the store's last word that somebody has what we ask for. It is asked again every few seconds; should
 * it fall silent, whoever yielded may go on soon.
 */
const LONGEST_CALLING = seconds(5);

/** Whoever resigns or yields has shut its gate, and given back its lease, by then. */
const LETTING_GO = milliseconds(500);

/** RFC 9568 §6.4.2. */
export function stepBackup(
  router: VirtualRouter,
  state: BackupState,
  event: VrrpEvent,
  now: Instant,
): VrrpTransition {
  switch (event.kind) {
    case "advertisement":
      return hear(router, state, event.advertisement, now);
    case "tick":
      return now >= state.activeDownAt
        ? claim(router, state, now)
        : goOnCalling(router, state, now);
    case "group-active":
      // Without our own request it is stale: somebody active was heard since.
      return state.request !== undefined
        ? becomeActive(router, "backup", takeoverReason(router, state, now), now, state.held)
        : stay(state);
    case "fault-raised":
      return becomeFaulty("backup", [event.fault]);
    case "holder-elsewhere":
      return call(router, state, now);
    case "configured":
      return reconfigure(router, event.previous, state, now);
    case "suspended":
      // Whoever advertised meanwhile was not heard, and the wait for it stood still.
      return stay(backupState(router, now, state.activeAdverInterval));
    case "shutdown":
      return stop("backup");
    case "startup":
    case "fault-cleared":
    case "group-backup":
    case "mandate-lost":
    case "foreign-claim":
    case "holder-silent":
    case "lease-lapsed":
      return stay(state);
    default:
      return assertNever(event);
  }
}

function hear(
  router: VirtualRouter,
  state: BackupState,
  advertisement: Advertisement,
  now: Instant,
): VrrpTransition {
  if (router.priority === OWNER_PRIORITY && router.ownerIgnoreAdverts) return stay(state);
  const effects = alarms(router, advertisement);
  return { state: heard(router, state, advertisement, now), effects };
}

function heard(
  router: VirtualRouter,
  state: BackupState,
  { priority, source, maxAdvertiseInterval }: Advertisement,
  now: Instant,
): BackupState {
  if (priority === RELEASE_PRIORITY) {
    const skewed = after(now, skewTime(router, state.activeAdverInterval));
    // Only ever sooner: a storm of resignations must not put off the take-over for ever.
    const activeDownAt = sooner(skewed, state.activeDownAt);
    const held = state.held === undefined ? undefined : resignedHolding(state.held, source);
    // Of somebody else's resignation whoever was heard last knows nothing: it may be silent by now.
    const resigned = state.resigned || (state.active?.address ?? source) === source;
    return { ...state, activeDownAt, resigned, request: heardSince(state.request), held };
  }
  const active: HeardActive = { address: source, priority };
  // An equal priority never preempts, whatever the addresses are.
  const lower = priority < router.priority;
  const preemptAt = lower ? preemptionAt(router, state, now) : undefined;
  const interval = router.version === 3 ? maxAdvertiseInterval : router.advertisementInterval;
  const held = state.held && heardHolding(state.held, source, leaseEnd(router, interval, now));
  if (lower && preempts(router) && (preemptAt === undefined || now >= preemptAt)) {
    // Discarded: the timer runs on, and this is how preemption comes about.
    const request = heardSince(state.request);
    return { ...state, active, resigned: false, preemptAt, request, held };
  }
  return { ...backupState(router, now, interval, active), preemptAt, held };
}

const heardSince = (request: LeaveRequest | undefined): LeaveRequest | undefined =>
  request && { ...request, unheard: false, elsewhere: undefined };

function preemptionAt(router: VirtualRouter, state: BackupState, now: Instant) {
  if (!preempts(router) || router.preemptDelay === 0) return undefined;
  return state.preemptAt ?? after(now, router.preemptDelay);
}

function claim(router: VirtualRouter, state: BackupState, now: Instant): VrrpTransition {
  const reason = takeoverReason(router, state, now);
  if (!router.inSyncGroup) return becomeActive(router, "backup", reason, now, state.held);
  const repeatAt = after(now, activeDownInterval(router, state.activeAdverInterval));
  const request = { ...(state.request ?? NEW_REQUEST), unheard: true };
  const silent = state.request !== undefined && isSilent(state.request, reason);
  return {
    state: { ...state, activeDownAt: repeatAt, request },
    effects: [{ kind: "request-active", reason: silent ? "active-down-timer" : reason }],
  };
}

/**
 * A whole Active_Down_Interval after a request. Whoever has what is asked for, and neither advertises nor lets
 * go of it, is silent, whoever resigned before; so is who was to be preempted, if it was not we who had it yield.
 */
function isSilent({ unheard, calls, elsewhere }: LeaveRequest, reason: TransitionReason): boolean {
  if (!unheard) return false;
  if (elsewhere !== undefined && since(elsewhere.since, elsewhere.until) >= LETTING_GO) return true;
  return calls === undefined && reason === "preemption";
}

/**
 * Whoever is active gives its mandate back when it hears that it is to be preempted; nobody else is to be
 * disturbed. We are no more than a backup until the mandate is ours; the others are kept from asking for it,
 * and from fencing us, for as long as the store may take to say so.
 */
function call(router: VirtualRouter, state: BackupState, now: Instant): VrrpTransition {
  if (state.request === undefined) return stay(state);
  const elsewhere = { since: state.request.elsewhere?.since ?? now, until: now };
  const request = { ...state.request, elsewhere };
  if (takeoverReason(router, state, now) !== "preemption") return stay({ ...state, request });
  const { at = now } = request.calls ?? {};
  const calls = { at, until: after(now, LONGEST_CALLING) };
  return goOnCalling(router, { ...state, request: { ...request, calls } }, now);
}

function goOnCalling(router: VirtualRouter, state: BackupState, now: Instant): VrrpTransition {
  const { request } = state;
  if (request?.calls === undefined || now < request.calls.at) return stay(state);
  const { until } = request.calls;
  if (now >= until || takeoverReason(router, state, now) !== "preemption") {
    return stay({ ...state, request: { ...request, calls: undefined } });
  }
  const calls = { at: after(now, router.advertisementInterval), until };
  return {
    state: { ...state, request: { ...request, calls } },
    effects: [{ kind: "send-advertisement", priority: router.priority }],
  };
}

function takeoverReason(router: VirtualRouter, state: BackupState, now: Instant): TransitionReason {
  if (state.resigned) return "active-resigned";
  if (state.active === undefined) {
    return router.priority === OWNER_PRIORITY ? "owner-startup" : "active-down-timer";
  }
  const preempting =
    preempts(router) &&
    state.active.priority < router.priority &&
    (state.preemptAt === undefined || now >= state.preemptAt);
  return preempting ? "preemption" : "active-down-timer";
}

function reconfigure(
  router: VirtualRouter,
  previous: VirtualRouter,
  state: BackupState,
  now: Instant,
): VrrpTransition {
  const promoted = router.priority === OWNER_PRIORITY && previous.priority !== OWNER_PRIORITY;
  if (promoted && !router.inSyncGroup) return becomeActive(router, "backup", "reconfigured", now);
  // What it asked for because the active router was worse is not wanted when it is worse itself.
  const givesUp = isPreempting(previous, state) && !isPreempting(router, state);
  const retimed = retime(router, previous, state, now);
  const next: BackupState = {
    ...retimed,
    preemptAt: movePreemption(router, previous, state.preemptAt),
    request: router.inSyncGroup && !givesUp ? state.request : undefined,
    held: heldUnder(router, retimed, now),
  };
  if (!promoted) return stay(next);
  return {
    state: { ...next, request: NEW_REQUEST },
    effects: [{ kind: "request-active", reason: "reconfigured" }],
  };
}

/** Who is fenced only now has not counted whose gate may be open. */
const heldUnder = (
  router: VirtualRouter,
  { held, activeAdverInterval }: BackupState,
  now: Instant,
): Held | undefined =>
  router.fenced ? (held ?? listening(leaseEnd(router, activeAdverInterval, now))) : undefined;

/** A new priority moves the running timer by the skew; another interval starts it anew. */
function retime(
  router: VirtualRouter,
  previous: VirtualRouter,
  state: BackupState,
  now: Instant,
): BackupState {
  const ownChanged = router.advertisementInterval !== previous.advertisementInterval;
  const learned = router.version === 3 && state.active !== undefined;
  if (
    (ownChanged && !learned) ||
    router.version !== previous.version ||
    router.downTimerAdverts !== previous.downTimerAdverts
  ) {
    const interval = learned ? state.activeAdverInterval : router.advertisementInterval;
    return backupState(router, now, interval, state.active);
  }
  if (isPreempting(previous, state) && !isPreempting(router, state)) {
    // The timer was running down although the active router is well; it now counts again.
    return backupState(router, now, state.activeAdverInterval, state.active);
  }
  const moved =
    skewTime(router, state.activeAdverInterval) - skewTime(previous, state.activeAdverInterval);
  return { ...state, activeDownAt: after(state.activeDownAt, moved as Micros) };
}

/** The active router's advertisements are discarded, so that the timer runs out. */
const isPreempting = (router: VirtualRouter, { active, preemptAt }: BackupState): boolean =>
  active !== undefined &&
  preempts(router) &&
  active.priority < router.priority &&
  (router.preemptDelay === 0 || preemptAt !== undefined);

function movePreemption(
  router: VirtualRouter,
  previous: VirtualRouter,
  preemptAt: Instant | undefined,
): Instant | undefined {
  if (preemptAt === undefined || !preempts(router) || router.preemptDelay === 0) return undefined;
  return after(preemptAt, (router.preemptDelay - previous.preemptDelay) as Micros);
}
