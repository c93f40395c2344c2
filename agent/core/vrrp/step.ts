import { assertNever } from "../assert.ts";
import type { Machine } from "../machine.ts";
import type { Instant } from "../time.ts";
import { earliest } from "../time.ts";
import { stepActive } from "./active.ts";
import { stepBackup } from "./backup.ts";
import { decidedAt } from "./contest.ts";
import type { VrrpEffect } from "./effect.ts";
import type { VrrpTransition } from "./entry.ts";
import type { VrrpEvent } from "./event.ts";
import { stepFault } from "./fault-state.ts";
import { stepInitialize } from "./initialize.ts";
import type { ActiveState, VrrpState } from "./state.ts";
import { INITIAL } from "./state.ts";
import type { VirtualRouter } from "./virtual-router.ts";

/** What one event does to one virtual router. Total; see {@link Machine}. */
export function step(
  router: VirtualRouter,
  state: VrrpState,
  event: VrrpEvent,
  now: Instant,
): VrrpTransition {
  switch (state.kind) {
    case "initialize":
      return stepInitialize(router, state, event, now);
    case "backup":
      return stepBackup(router, state, event, now);
    case "active":
      return stepActive(router, state, event, now);
    case "fault":
      return stepFault(router, state, event, now);
    default:
      return assertNever(state);
  }
}

/** When this router next needs a `tick`; `undefined` when no timer runs. */
export function deadline(state: VrrpState): Instant | undefined {
  switch (state.kind) {
    case "initialize":
      return state.startAt;
    case "backup":
      return earliest(state.activeDownAt, state.request?.calls?.at);
    case "active":
      return earliest(state.adverAt, state.rival?.quietAt, state.rival?.endsAt, ownWorkAt(state));
    case "fault":
      return undefined;
    default:
      return assertNever(state);
  }
}

/** What nobody may reach is not announced. */
const ownWorkAt = ({ contest, announceAt, refreshAt }: ActiveState): Instant | undefined =>
  contest === undefined ? earliest(announceAt, refreshAt) : decidedAt(contest);

export const virtualRouter: Machine<VirtualRouter, VrrpState, VrrpEvent, VrrpEffect> = {
  initial: INITIAL,
  step,
  deadline,
};
