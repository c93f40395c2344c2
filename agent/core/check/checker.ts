import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { after, earliest, micros, sooner } from "../time.ts";
import { spread } from "./spread.ts";

/** How one periodic check is run and judged. */
export interface CheckerConfig {
  /** From the start of one run to the start of the next. */
  readonly interval: Micros;
  /** A run that takes longer has failed. */
  readonly timeout: Micros;
  /** Good results in a row that make it up, and bad ones that make it down; 1 or more. */
  readonly rise: number;
  readonly fall: number;
  /** What holds before the first verdict. `unknown`: one good result is enough to be up. */
  readonly initial: "unknown" | "down" | "up";
  /** Without any result for this long the verdict is stale; `undefined`: never. */
  readonly staleAfter: Micros | undefined;
  /** From the start to the first run; spreads many checks. */
  readonly startDelay: Micros;
  /**
   * A bad result that is not enough to be down is looked at again after this long, in place of the next
   * turn: keepalived's delay_before_retry. The turns that follow are counted from there.
   */
  readonly retryInterval?: Micros;
  /**
   * Each run begins up to `span` after its turn, or before it (`early`), as the seed says; shorter than the
   * interval.
   */
  readonly jitter?: { readonly span: Micros; readonly seed: number; readonly early?: true };
}

export type Verdict = "unknown" | "up" | "down";

export interface CheckerState {
  readonly verdict: Verdict;
  /** No result came for `staleAfter`: what the owner of the check says of such holds. */
  readonly stale: boolean;
  /** Results in a row that speak against the verdict. */
  readonly against: number;
  /** The run that is under way. */
  readonly running: { readonly run: number; readonly timeoutAt: Instant } | undefined;
  /** It was hastened while a run was under way, which may not have seen the change: one more follows. */
  readonly again: boolean;
  /** Counts runs. */
  readonly runs: number;
  /** The next turn on the grid of the first run, and when it begins: at the turn, or jitter beside it. */
  readonly turnAt: Instant | undefined;
  readonly nextAt: Instant | undefined;
  readonly staleAt: Instant | undefined;
}

/**
 * `skipped`: it ran and says nothing new. `lost`: it did not run to its end, without fault of its
 * own; that counts for nothing, and a verdict grows stale meanwhile.
 */
export type CheckResult = "good" | "bad" | "skipped" | "lost";

export type CheckerEvent =
  | { readonly kind: "start" }
  | { readonly kind: "tick" }
  /** A run ended; one that is not under way any more counts for nothing. */
  | {
      readonly kind: "result";
      readonly run: number;
      readonly result: CheckResult;
      readonly reason: string;
    }
  /** A result that comes from outside of its turns, and counts as any other. */
  | { readonly kind: "found"; readonly result: CheckResult; readonly reason: string }
  /** The configuration is another one; what was found so far holds on. */
  | { readonly kind: "configured" }
  /** What it looks at has changed: it runs now, out of turn. */
  | { readonly kind: "hasten" };

export type CheckerEffect =
  | { readonly kind: "run"; readonly run: number }
  /** It took too long: stop it. A result has been counted for it. */
  | { readonly kind: "abandon"; readonly run: number }
  | {
      readonly kind: "verdict";
      readonly verdict: Verdict;
      readonly stale: boolean;
      readonly reason: string;
    };

type Step = Transition<CheckerState, CheckerEffect>;

const INITIAL: CheckerState = {
  verdict: "unknown",
  stale: false,
  against: 0,
  running: undefined,
  again: false,
  runs: 0,
  turnAt: undefined,
  nextAt: undefined,
  staleAt: undefined,
};

function step(config: CheckerConfig, state: CheckerState, event: CheckerEvent, now: Instant): Step {
  switch (event.kind) {
    case "start":
      return start(config, state, now);
    case "tick":
      return tick(config, state, now);
    case "result":
      if (state.running?.run !== event.run) return { state, effects: [] };
      return ended(config, { ...state, running: undefined }, event, now);
    case "found":
      return count(config, state, event, now);
    case "configured":
      return configured(config, state, now);
    case "hasten":
      if (state.nextAt === undefined) return { state, effects: [] };
      return tick(config, { ...state, again: true }, now);
    default:
      return assertNever(event);
  }
}

/** From nothing, or from nothing again. */
function start(config: CheckerConfig, { running, runs }: CheckerState, now: Instant): Step {
  const turnAt = after(now, config.startDelay);
  const nextAt = begin(config, turnAt, runs);
  const staleAt = staleFrom(config, nextAt);
  const state = { ...INITIAL, verdict: config.initial, runs, turnAt, nextAt, staleAt };
  const { state: next, effects } = tick(config, state, now);
  if (running === undefined) return { state: next, effects };
  return { state: next, effects: [{ kind: "abandon", run: running.run }, ...effects] };
}

function configured(config: CheckerConfig, state: CheckerState, now: Instant): Step {
  if (state.turnAt === undefined || state.nextAt === undefined) return { state, effects: [] };
  const soonest = after(now, config.interval);
  const turnAt = sooner(state.turnAt, soonest);
  const nextAt = sooner(state.nextAt, soonest);
  const timed = { ...state, turnAt, nextAt };
  if (!state.stale) {
    return { state: { ...timed, staleAt: staleFrom(config, now) }, effects: [] };
  }
  // Stale it stays until there is a result, unless it cannot be stale any more.
  if (config.staleAfter !== undefined) return { state: timed, effects: [] };
  const { verdict } = state;
  return {
    state: { ...timed, stale: false },
    effects: [{ kind: "verdict", verdict, stale: false, reason: "configured" }],
  };
}

function tick(config: CheckerConfig, before: CheckerState, now: Instant): Step {
  let state = before;
  const effects: CheckerEffect[] = [];
  const { running } = state;
  if (running !== undefined && now >= running.timeoutAt) {
    effects.push({ kind: "abandon", run: running.run });
    const timeout = { result: "bad", reason: "timeout" } as const;
    const counted = count(config, { ...state, running: undefined }, timeout, now);
    state = counted.state;
    effects.push(...counted.effects);
  }
  if (state.staleAt !== undefined && now >= state.staleAt) {
    state = { ...state, stale: true, staleAt: undefined };
    effects.push({ kind: "verdict", verdict: state.verdict, stale: true, reason: "no verdict" });
  }
  const turn = state.nextAt !== undefined && now >= state.nextAt;
  if (turn) state = { ...state, ...following(config, state, now) };
  // A turn that comes while the run before is still under way is left out.
  if (state.running === undefined && (turn || state.again)) {
    const run = state.runs + 1;
    const timeoutAt = after(now, config.timeout);
    state = { ...state, runs: run, running: { run, timeoutAt }, again: false };
    effects.push({ kind: "run", run });
  }
  return { state, effects };
}

/** A run is over; one that was hastened meanwhile follows at once. */
function ended(config: CheckerConfig, before: CheckerState, result: Counted, now: Instant): Step {
  const counted = count(config, before, result, now);
  if (!before.again) return counted;
  const { state, effects } = tick(config, counted.state, now);
  return { state, effects: [...counted.effects, ...effects] };
}

/** The turn after the last one that has come; turns that were slept through are left out. */
function following(
  config: CheckerConfig,
  { turnAt, runs }: CheckerState,
  now: Instant,
): Pick<CheckerState, "turnAt" | "nextAt"> {
  if (turnAt === undefined) return { turnAt: undefined, nextAt: undefined };
  const missed = Math.max(0, Math.floor((now - turnAt) / config.interval));
  const next = after(turnAt, micros((missed + 1) * config.interval));
  return { turnAt: next, nextAt: begin(config, next, runs + 1) };
}

function begin({ jitter }: CheckerConfig, turnAt: Instant, runs: number): Instant {
  if (jitter === undefined) return turnAt;
  const aside = jitter.span * spread(jitter.seed, runs);
  return after(turnAt, micros(jitter.early === true ? -aside : aside));
}

const staleFrom = ({ staleAfter }: CheckerConfig, now: Instant): Instant | undefined =>
  staleAfter === undefined ? undefined : after(now, staleAfter);

interface Counted {
  readonly result: CheckResult;
  readonly reason: string;
}

function count(
  config: CheckerConfig,
  before: CheckerState,
  { result, reason }: Counted,
  now: Instant,
): Step {
  if (result === "lost") return { state: before, effects: [] };
  const fresh: CheckerState = { ...before, stale: false, staleAt: staleFrom(config, now) };
  const revived: readonly CheckerEffect[] = before.stale
    ? [{ kind: "verdict", verdict: before.verdict, stale: false, reason }]
    : [];
  if (result === "skipped") return { state: fresh, effects: revived };
  const verdict = result === "good" ? "up" : "down";
  if (verdict === before.verdict) return { state: { ...fresh, against: 0 }, effects: revived };
  const against = before.against + 1;
  if (against < needed(config, before.verdict, verdict)) {
    return { state: retried(config, { ...fresh, against }, verdict, now), effects: revived };
  }
  return {
    state: { ...fresh, verdict, against: 0 },
    effects: [{ kind: "verdict", verdict, stale: false, reason }],
  };
}

function retried(
  { retryInterval }: CheckerConfig,
  state: CheckerState,
  verdict: Verdict,
  now: Instant,
): CheckerState {
  if (retryInterval === undefined || verdict !== "down" || state.nextAt === undefined) return state;
  const turnAt = after(now, retryInterval);
  return { ...state, turnAt, nextAt: turnAt };
}

/** As in keepalived, one good result is enough at the start, and a bad one must be repeated. */
function needed(config: CheckerConfig, from: Verdict, to: "up" | "down"): number {
  if (to === "down") return config.fall;
  return from === "unknown" ? 1 : config.rise;
}

/** One periodic check with rise and fall: keepalived's vrrp_script, and the checks of policies. */
export const checker: Machine<CheckerConfig, CheckerState, CheckerEvent, CheckerEffect> = {
  initial: INITIAL,
  step,
  deadline: (state) => earliest(state.nextAt, state.running?.timeoutAt, state.staleAt),
};
