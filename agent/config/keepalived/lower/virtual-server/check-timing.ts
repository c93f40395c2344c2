import type { Micros } from "../../../../core/time.ts";
import { seconds } from "../../../../core/time.ts";
import type { CheckTiming } from "../../../virtual-servers.ts";
import type { Lowering } from "../lowering.ts";
import type { Lines } from "./lines.ts";
import { secondsOf, switchOf, wholeOf } from "./lines.ts";

/** What was said of timing so far: of the virtual server, then of the real server, then of the check. */
export interface TimingDraft {
  readonly interval: Micros | undefined;
  readonly retries: number | undefined;
  readonly retryInterval: Micros | undefined;
  readonly warmup: Micros | undefined;
  readonly timeout: Micros | undefined;
  readonly startsDown: boolean | undefined;
  readonly logAllFailures: boolean | undefined;
}

export const NO_TIMING: TimingDraft = {
  interval: undefined,
  retries: undefined,
  retryInterval: undefined,
  warmup: undefined,
  timeout: undefined,
  startsDown: undefined,
  logAllFailures: undefined,
};

/** In seconds: keepalived's 32 bits of microseconds. */
const SPAN = { low: 0, high: 4294 };
/** Of what may not be 0. */
const TIME = { low: 0.001, high: 4294 };
const MOST = 4_294_967_295;

const WORDS: readonly string[] = [
  "delay_loop",
  "retry",
  "nb_get_retry",
  "delay_before_retry",
  "warmup",
  "connect_timeout",
  "alpha",
  "log_all_failures",
];

/**
 * What a block says of timing, and for the rest what stands around it. `retry 0` keepalived knows in checks
 * only: outside it passes over the line.
 */
export function readTiming(
  lines: Lines,
  outer: TimingDraft,
  leastRetries: 0 | 1,
  lowering: Lowering,
): TimingDraft {
  if (!WORDS.some((word) => lines.has(word))) return outer;
  const span = (name: string) => secondsOf(lines, name, SPAN, lowering);
  const count = (name: string) => wholeOf(lines, name, { low: leastRetries, high: MOST }, lowering);
  return {
    interval: secondsOf(lines, "delay_loop", TIME, lowering) ?? outer.interval,
    retries: count("retry") ?? count("nb_get_retry") ?? outer.retries,
    retryInterval: span("delay_before_retry") ?? outer.retryInterval,
    warmup: span("warmup") ?? outer.warmup,
    timeout: secondsOf(lines, "connect_timeout", TIME, lowering) ?? outer.timeout,
    startsDown: switchOf(lines, "alpha", lowering) ?? outer.startsDown,
    logAllFailures: switchOf(lines, "log_all_failures", lowering) ?? outer.logAllFailures,
  };
}

interface Defaults {
  readonly retries: number;
  /** `undefined`: the interval. */
  readonly retryInterval: Micros | undefined;
}

const DEFAULT_INTERVAL = seconds(60);
const DEFAULT_TIMEOUT = seconds(5);
const USUAL: Defaults = { retries: 1, retryInterval: seconds(1) };
const OTHERS: Readonly<Record<string, Defaults>> = {
  DNS_CHECK: { retries: 3, retryInterval: undefined },
  HTTP_GET: { retries: 1, retryInterval: seconds(3) },
  MISC_CHECK: { retries: 0, retryInterval: seconds(1) },
  SSL_GET: { retries: 1, retryInterval: seconds(3) },
};

/** The timing of a check of this kind, with keepalived's defaults where nothing was said. */
export function completeTiming(draft: TimingDraft, kind: string): CheckTiming {
  const defaults = OTHERS[kind] ?? USUAL;
  const interval = draft.interval ?? DEFAULT_INTERVAL;
  return {
    interval,
    retries: draft.retries ?? defaults.retries,
    retryInterval: draft.retryInterval ?? defaults.retryInterval ?? interval,
    warmup: draft.warmup ?? interval,
    timeout: draft.timeout ?? DEFAULT_TIMEOUT,
    startsDown: draft.startsDown ?? false,
    logAllFailures: draft.logAllFailures ?? false,
  };
}
