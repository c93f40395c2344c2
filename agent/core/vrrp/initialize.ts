import { assertNever } from "../assert.ts";
import type { Instant } from "../time.ts";
import { after } from "../time.ts";
import type { VrrpTransition } from "./entry.ts";
import { backupState, becomeActive, becomeFaulty, NEW_REQUEST, stay, transition } from "./entry.ts";
import type { VrrpEvent } from "./event.ts";
import { withFault, withoutFault } from "./fault.ts";
import type { InitializeState } from "./state.ts";
import type { VirtualRouter } from "./virtual-router.ts";
import { OWNER_PRIORITY } from "./virtual-router.ts";

/** RFC 9568 §6.4.1, with the startup delay of keepalived in front. */
export function stepInitialize(
  router: VirtualRouter,
  state: InitializeState,
  event: VrrpEvent,
  now: Instant,
): VrrpTransition {
  switch (event.kind) {
    case "startup":
      if (state.startAt !== undefined) return stay(state);
      return router.startupDelay > 0
        ? stay({ ...state, startAt: after(now, router.startupDelay) })
        : start(router, state, now);
    case "tick":
      return state.startAt !== undefined && now >= state.startAt
        ? start(router, state, now)
        : stay(state);
    case "shutdown":
      return stay({ ...state, startAt: undefined });
    case "fault-raised":
      return stay({ ...state, faults: withFault(state.faults, event.fault) });
    case "fault-cleared":
      return stay({ ...state, faults: withoutFault(state.faults, event.fault) });
    case "advertisement":
    case "configured":
    case "group-active":
    case "group-backup":
    case "mandate-lost":
    case "holder-elsewhere":
    case "foreign-claim":
    case "holder-silent":
    case "lease-lapsed":
    case "suspended":
      return stay(state);
    default:
      return assertNever(event);
  }
}

/**
 * keepalived's `state MASTER` in a sync group: one interval, and the shortest skew. An active router
 * would be heard in that time, and the rest of the group has its say before anything is claimed.
 */
const patience = (router: VirtualRouter): VirtualRouter =>
  router.inSyncGroup && router.initialActive
    ? { ...router, priority: OWNER_PRIORITY, downTimerAdverts: 1 }
    : router;

function start(router: VirtualRouter, state: InitializeState, now: Instant): VrrpTransition {
  if (state.faults.length > 0) return becomeFaulty("initialize", state.faults);
  if (router.priority !== OWNER_PRIORITY) {
    // However short its patience: somebody may have advertised just now.
    const { held } = backupState(router, now);
    return {
      state: { ...backupState(patience(router), now), held },
      effects: [transition("initialize", "backup", "startup")],
    };
  }
  if (!router.inSyncGroup) return becomeActive(router, "initialize", "owner-startup", now);
  // An owner may not run ahead of its group: it asks at once, and repeats like any backup.
  return {
    state: { ...backupState(router, now), request: NEW_REQUEST },
    effects: [
      transition("initialize", "backup", "startup"),
      { kind: "request-active", reason: "owner-startup" },
    ],
  };
}
