import type { Instant } from "./time.ts";

/** What one event did: the next state, and the effects in the order in which they must run. */
export interface Transition<State, Effect> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/**
 * A deterministic machine: the same configuration, state, event and instant give the same
 * transition. Timers are deadlines inside the state; there is no effect that starts or stops one.
 */
export interface Machine<Config, State, Event, Effect> {
  readonly initial: State;
  step(config: Config, state: State, event: Event, now: Instant): Transition<State, Effect>;
  /** When a `tick` is next needed; `undefined` when no timer runs. */
  deadline(state: State): Instant | undefined;
}
