import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { after, earliest, micros } from "../time.ts";

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
  /** Counts runs. */
  readonly runs: number;
  readonly nextAt: Instant | undefined;
  readonly staleAt: Instant | undefined;
}

export type CheckResult = "good" | "bad" | "skipped";

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
  runs: 0,
  nextAt: undefined,
  staleAt: undefined,
};

function step(config: CheckerConfig, state: CheckerState, event: CheckerEvent, now: Instant): Step {
  switch (event.kind) {
    case "start": {
      const nextAt = after(now, config.startDelay);
      const fresh = { ...INITIAL, verdict: config.initial, runs: state.runs, nextAt };
      return tick(config, { ...fresh, staleAt: staleAt(config, now) }, now);
    }
    case "tick":
      return tick(config, state, now);
    case "result":
      if (state.running?.run !== event.run) return { state, effects: [] };
      return count(config, { ...state, running: undefined }, event.result, event.reason, now);
    case "configured": {
      const soonest = after(now, config.interval);
      const nextAt = state.nextAt === undefined || state.nextAt < soonest ? state.nextAt : soonest;
      return { state: { ...state, nextAt, staleAt: staleAt(config, now) }, effects: [] };
    }
    case "hasten":
      if (state.nextAt === undefined || state.nextAt <= now) return tick(config, state, now);
      return tick(config, { ...state, nextAt: now }, now);
    default:
      return assertNever(event);
  }
}

const staleAt = ({ staleAfter }: CheckerConfig, now: Instant): Instant | undefined =>
  staleAfter === undefined ? undefined : after(now, staleAfter);

function tick(config: CheckerConfig, before: CheckerState, now: Instant): Step {
  let state = before;
  const effects: CheckerEffect[] = [];
  const { running } = state;
  if (running !== undefined && now >= running.timeoutAt) {
    effects.push({ kind: "abandon", run: running.run });
    const counted = count(config, { ...state, running: undefined }, "bad", "timeout", now);
    state = counted.state;
    effects.push(...counted.effects);
  }
  if (state.staleAt !== undefined && now >= state.staleAt) {
    state = { ...state, stale: true, staleAt: undefined };
    effects.push({ kind: "verdict", verdict: state.verdict, stale: true, reason: "no verdict" });
  }
  if (state.nextAt !== undefined && now >= state.nextAt) {
    const nextAt = followingAt(state.nextAt, config.interval, now);
    if (state.running === undefined) {
      const run = state.runs + 1;
      const timeoutAt = after(now, config.timeout);
      state = { ...state, runs: run, running: { run, timeoutAt }, nextAt };
      effects.push({ kind: "run", run });
    } else {
      // The one before still runs: this turn is left out.
      state = { ...state, nextAt };
    }
  }
  return { state, effects };
}

/** On the grid of the first run; turns that were slept through are left out. */
function followingAt(at: Instant, interval: Micros, now: Instant): Instant {
  const missed = Math.floor((now - at) / interval);
  return after(at, micros((missed + 1) * interval));
}

function count(
  config: CheckerConfig,
  before: CheckerState,
  result: CheckResult,
  reason: string,
  now: Instant,
): Step {
  const fresh: CheckerState = { ...before, stale: false, staleAt: staleAt(config, now) };
  const revived: readonly CheckerEffect[] = before.stale
    ? [{ kind: "verdict", verdict: before.verdict, stale: false, reason }]
    : [];
  if (result === "skipped") return { state: fresh, effects: revived };
  const verdict = result === "good" ? "up" : "down";
  if (verdict === before.verdict) return { state: { ...fresh, against: 0 }, effects: revived };
  const against = before.against + 1;
  if (against < needed(config, before.verdict, verdict)) {
    return { state: { ...fresh, against }, effects: revived };
  }
  return {
    state: { ...fresh, verdict, against: 0 },
    effects: [{ kind: "verdict", verdict, stale: false, reason }],
  };
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
