import type { Instant } from "../time.ts";
import { after, later, milliseconds } from "../time.ts";
import type { VrrpEffect } from "./effect.ts";
import type { ActiveState } from "./state.ts";
import { nextDeadline } from "./timers.ts";
import type { VirtualRouter } from "./virtual-router.ts";

/** Others may provoke announcements no faster than this; a set that comes too soon is put off. */
export const PROVOKED_ANNOUNCEMENT_SPACING = milliseconds(100);

export interface Announcing {
  readonly state: ActiveState;
  readonly effects: readonly VrrpEffect[];
}

/** The second set and the refresh, as far as they are due. */
export function announceWhenDue(
  router: VirtualRouter,
  state: ActiveState,
  now: Instant,
): Announcing {
  if (state.contest !== undefined) return { state, effects: [] };
  const { refreshInterval, refreshRepeat } = router.announcement;
  const setDue = state.announceAt !== undefined && now >= state.announceAt;
  const refreshDue = state.refreshAt !== undefined && now >= state.refreshAt;
  if (!setDue && !refreshDue) return { state, effects: [] };
  // Both at once need no more frames than the larger set.
  const repeat = Math.max(setDue ? state.announceRepeat : 0, refreshDue ? refreshRepeat : 0);
  return {
    state: {
      ...state,
      announcedAt: now,
      announceAt: setDue ? undefined : state.announceAt,
      refreshAt:
        refreshDue && state.refreshAt !== undefined
          ? nextDeadline(state.refreshAt, refreshInterval, now)
          : state.refreshAt,
    },
    effects: [{ kind: "announce-addresses", repeat }],
  };
}

/** A rival may have drawn the hosts to itself: whoever announces last is believed. */
export function announceAgainstRival(
  router: VirtualRouter,
  state: ActiveState,
  now: Instant,
): Announcing {
  const { lowerPriorityRepeat: repeat, lowerPriorityDelay: delay } = router.announcement;
  if (repeat === 0 || state.contest !== undefined) return { state, effects: [] };
  const allowedAt = after(state.announcedAt, PROVOKED_ANNOUNCEMENT_SPACING);
  const pending = state.announceAt;
  const announceRepeat = pending === undefined ? repeat : Math.max(repeat, state.announceRepeat);
  if (now < allowedAt) {
    const announceAt = pending !== undefined && pending < allowedAt ? pending : allowedAt;
    return { state: { ...state, announceAt, announceRepeat }, effects: [] };
  }
  const announceAt = delay > 0 ? after(now, delay) : pending;
  return {
    state: { ...state, announcedAt: now, announceAt, announceRepeat },
    effects: [{ kind: "announce-addresses", repeat }],
  };
}

/** A rival has ended: a set that is still to come is soon enough, else it comes now. */
export function announceAgain(
  router: VirtualRouter,
  state: ActiveState,
  now: Instant,
): ActiveState {
  const { lowerPriorityRepeat: repeat } = router.announcement;
  if (repeat === 0 || state.announceAt !== undefined) return state;
  const allowedAt = after(state.announcedAt, PROVOKED_ANNOUNCEMENT_SPACING);
  return { ...state, announceAt: later(allowedAt, now), announceRepeat: repeat };
}

/** After a reload: refreshes by the new period, never later than the old one had it. */
export function rescheduleRefresh(
  router: VirtualRouter,
  state: ActiveState,
  now: Instant,
): Instant | undefined {
  const { refreshInterval } = router.announcement;
  if (refreshInterval === 0) return undefined;
  const fresh = after(now, refreshInterval);
  return state.refreshAt !== undefined && state.refreshAt < fresh ? state.refreshAt : fresh;
}
