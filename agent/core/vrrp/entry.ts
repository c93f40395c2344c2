import type { Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { after } from "../time.ts";
import { leaseEnd, newContest } from "./contest.ts";
import type { TransitionReason, VrrpEffect } from "./effect.ts";
import type { Fault } from "./fault.ts";
import type { Held } from "./held.ts";
import { listening } from "./held.ts";
import type {
  ActiveState,
  BackupState,
  FaultState,
  HeardActive,
  LeaveRequest,
  VrrpState,
} from "./state.ts";
import { activeDownInterval } from "./timers.ts";
import type { VirtualRouter } from "./virtual-router.ts";
import { RELEASE_PRIORITY } from "./virtual-router.ts";

export type VrrpTransition = Transition<VrrpState, VrrpEffect>;

type StateKind = VrrpState["kind"];

export const stay = (state: VrrpState): VrrpTransition => ({ state, effects: [] });

export const transition = (
  from: StateKind,
  to: StateKind,
  reason: TransitionReason,
  faults: readonly Fault[] = [],
): VrrpEffect => ({ kind: "transition", from, to, reason, faults });

/**
 * Claims the addresses. The advertisement goes first: it silences an active router that yields.
 * `held`: who may still be reachable under them.
 */
export function becomeActive(
  router: VirtualRouter,
  from: StateKind,
  reason: TransitionReason,
  now: Instant,
  held: Held = listening(now),
): VrrpTransition {
  const contest = router.fenced ? newContest(held, now) : undefined;
  const { repeat, delay, refreshInterval } = router.announcement;
  const state: ActiveState = {
    kind: "active",
    adverAt: after(now, router.advertisementInterval),
    advertisedAt: now,
    announcedAt: now,
    announceAt: delay > 0 ? after(now, delay) : undefined,
    announceRepeat: repeat,
    refreshAt: refreshInterval > 0 ? after(now, refreshInterval) : undefined,
    rival: undefined,
    contest,
  };
  const announcing: readonly VrrpEffect[] =
    contest === undefined ? [{ kind: "announce-addresses", repeat }] : [];
  const probing: readonly VrrpEffect[] =
    contest?.probing === true ? [{ kind: "probe-holder" }] : [];
  return {
    state,
    effects: [
      { kind: "send-advertisement", priority: router.priority },
      { kind: "install-addresses" },
      ...announcing,
      ...probing,
      transition(from, "active", reason),
    ],
  };
}

/** A backup that waits a whole Active_Down_Interval, at the given or at its own interval. */
export const backupState = (
  router: VirtualRouter,
  now: Instant,
  activeAdverInterval: Micros = router.advertisementInterval,
  active?: HeardActive,
): BackupState => ({
  kind: "backup",
  activeDownAt: after(now, activeDownInterval(router, activeAdverInterval)),
  activeAdverInterval,
  active,
  resigned: false,
  preemptAt: undefined,
  request: undefined,
  held: router.fenced ? listening(leaseEnd(router, activeAdverInterval, now)) : undefined,
});

/** Nobody was heard since: it was made just now. */
export const NEW_REQUEST: LeaveRequest = {
  unheard: true,
  calls: undefined,
  elsewhere: undefined,
};

/** Leaves `active`: the addresses go before others may claim them. */
export const release = (advertisements: number): readonly VrrpEffect[] => [
  { kind: "remove-addresses" },
  ...Array.from(
    { length: advertisements },
    (): VrrpEffect => ({ kind: "send-advertisement", priority: RELEASE_PRIORITY }),
  ),
];

/** Drops out. An active router resigns twice, as the fault may cost one of the packets. */
export function becomeFaulty(from: StateKind, faults: readonly Fault[]): VrrpTransition {
  const state: FaultState = { kind: "fault", faults };
  const left = from === "active" ? release(2) : [];
  return { state, effects: [...left, transition(from, "fault", "fault", faults)] };
}

export function stop(from: StateKind, faults: readonly Fault[] = []): VrrpTransition {
  const left = from === "active" ? release(1) : [];
  return {
    state: { kind: "initialize", faults, startAt: undefined },
    effects: [...left, transition(from, "initialize", "shutdown")],
  };
}
