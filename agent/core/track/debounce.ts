import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { after } from "../time.ts";

/** How long an interface must be down, or up, to count as such; 0: at once. */
export interface DebounceDelays {
  readonly down: Micros;
  readonly up: Micros;
}

export interface DebounceState {
  /** What others believe. */
  readonly up: boolean;
  /** When the opposite is believed, unless it ends before. */
  readonly changeAt: Instant | undefined;
}

export type DebounceEvent =
  /** What the kernel says. */
  { readonly kind: "link"; readonly up: boolean } | { readonly kind: "tick" };

/** The interface counts as up, or down, from now on. */
export interface DebounceEffect {
  readonly kind: "settled";
  readonly up: boolean;
}

type Debounced = Transition<DebounceState, DebounceEffect>;

/** What is seen first is believed at once. */
export const debounceFrom = (up: boolean): DebounceState => ({ up, changeAt: undefined });

function step(
  delays: DebounceDelays,
  state: DebounceState,
  event: DebounceEvent,
  now: Instant,
): Debounced {
  switch (event.kind) {
    case "link": {
      if (event.up === state.up) return { state: debounceFrom(state.up), effects: [] };
      const delay = event.up ? delays.up : delays.down;
      if (delay === 0) return settle(event.up);
      const changeAt = state.changeAt ?? after(now, delay);
      return { state: { ...state, changeAt }, effects: [] };
    }
    case "tick":
      return state.changeAt !== undefined && now >= state.changeAt
        ? settle(!state.up)
        : { state, effects: [] };
    default:
      return assertNever(event);
  }
}

const settle = (up: boolean): Debounced => ({
  state: debounceFrom(up),
  effects: [{ kind: "settled", up }],
});

/** Hides link flaps that are shorter than the delays. keepalived's interface_up_down_delays. */
export const debounce: Machine<DebounceDelays, DebounceState, DebounceEvent, DebounceEffect> = {
  initial: debounceFrom(false),
  step,
  deadline: (state) => state.changeAt,
};
