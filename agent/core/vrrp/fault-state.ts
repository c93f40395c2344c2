import { assertNever } from "../assert.ts";
import type { Instant } from "../time.ts";
import type { VrrpTransition } from "./entry.ts";
import { backupState, stay, stop, transition } from "./entry.ts";
import type { VrrpEvent } from "./event.ts";
import { withFault, withoutFault } from "./fault.ts";
import type { FaultState } from "./state.ts";
import type { VirtualRouter } from "./virtual-router.ts";

/** keepalived's FAULT: deaf until the last fault has cleared, then a backup that listens first. */
export function stepFault(
  router: VirtualRouter,
  state: FaultState,
  event: VrrpEvent,
  now: Instant,
): VrrpTransition {
  switch (event.kind) {
    case "fault-raised":
      return stay({ ...state, faults: withFault(state.faults, event.fault) });
    case "fault-cleared": {
      const faults = withoutFault(state.faults, event.fault);
      if (faults.length > 0) return stay({ ...state, faults });
      return {
        state: backupState(router, now),
        effects: [transition("fault", "backup", "fault-cleared")],
      };
    }
    case "shutdown":
      return stop("fault", state.faults);
    case "startup":
    case "advertisement":
    case "tick":
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
