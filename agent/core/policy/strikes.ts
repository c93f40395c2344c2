import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { after, micros, seconds, since } from "../time.ts";

/** How many strikes put a policy out, and for how long. */
export interface StrikesConfig {
  /** So many within `within`; 1 or more. */
  readonly count: number;
  readonly within: Micros;
  /** The first quarantine; each one after it is twice as long, `longest` at most. */
  readonly first: Micros;
  readonly longest: Micros;
  /** Without a strike for this long, the next quarantine is a first one again. */
  readonly calm: Micros;
}

export const STRIKES: StrikesConfig = {
  count: 3,
  within: seconds(60),
  first: seconds(1),
  longest: seconds(300),
  calm: seconds(900),
};

export interface StrikesState {
  /** When the strikes came that still count, the oldest first. */
  readonly recent: readonly Instant[];
  readonly lastAt: Instant | undefined;
  /** Quarantines in a row. */
  readonly quarantines: number;
  /** In quarantine until then. */
  readonly until: Instant | undefined;
}

export type StrikesEvent =
  | { readonly kind: "struck" }
  /** Another version runs: it answers for itself only. */
  | { readonly kind: "replaced" }
  | { readonly kind: "tick" };

export type StrikesEffect =
  | { readonly kind: "quarantine"; readonly time: Micros }
  | { readonly kind: "release" };

type Step = Transition<StrikesState, StrikesEffect>;

const INITIAL: StrikesState = {
  recent: [],
  lastAt: undefined,
  quarantines: 0,
  until: undefined,
};

function step(config: StrikesConfig, state: StrikesState, event: StrikesEvent, now: Instant): Step {
  switch (event.kind) {
    case "struck":
      return struck(config, state, now);
    case "replaced":
      return { state: INITIAL, effects: state.until === undefined ? [] : [{ kind: "release" }] };
    case "tick":
      if (state.until === undefined || now < state.until) return { state, effects: [] };
      return { state: { ...state, until: undefined }, effects: [{ kind: "release" }] };
    default:
      return assertNever(event);
  }
}

function struck(config: StrikesConfig, before: StrikesState, now: Instant): Step {
  const calm = before.lastAt === undefined || since(before.lastAt, now) >= config.calm;
  const quarantines = calm ? 0 : before.quarantines;
  const recent = [...before.recent.filter((at) => since(at, now) < config.within), now];
  const state = { ...before, lastAt: now, quarantines };
  // What ends in quarantine began before it.
  if (before.until !== undefined) return { state, effects: [] };
  if (recent.length < config.count) return { state: { ...state, recent }, effects: [] };
  const time = micros(Math.min(config.first * 2 ** quarantines, config.longest));
  return {
    state: { ...state, recent: [], quarantines: quarantines + 1, until: after(now, time) },
    effects: [{ kind: "quarantine", time }],
  };
}

/** A policy that had to be stopped by force again and again is left alone, for longer each time. */
export const strikes: Machine<StrikesConfig, StrikesState, StrikesEvent, StrikesEffect> = {
  initial: INITIAL,
  step,
  deadline: (state) => state.until,
};
