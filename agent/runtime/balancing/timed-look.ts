import type { CheckTiming } from "../../config/virtual-servers.ts";
import type { CheckerConfig, CheckerEvent } from "../../core/check/checker.ts";
import { checker } from "../../core/check/checker.ts";
import { spread } from "../../core/check/spread.ts";
import type { Instant } from "../../core/time.ts";
import { instant, micros, milliseconds, since } from "../../core/time.ts";
import { NOT_FOUND } from "../../core/virtual-server/pool.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ProbeOutcome } from "../../ports/server-probes.ts";
import type { Schedule, Slot } from "../schedule.ts";
import { Durations } from "./latency.ts";
import type { LookFigures } from "./look.ts";
import { Look } from "./look.ts";

export interface TimedLookWorld {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** A look that failed and is no verdict yet, or not the first: for log_all_failures. */
  readonly failed: (reason: string) => void;
  /** Something to be told of a server that is up. */
  readonly warn: (warning: string) => void;
}

/**
 * A look begins at most this late, and at most this part of its interval, together with others: to be
 * woken costs more than most looks do.
 */
const GRAIN = milliseconds(10);
const GRAINS = 100;

/**
 * Of its interval each look may come so much early, and never late: those that fell into step with others, or
 * with those of another director, fall out of it again. From look to look it is the interval in the mean.
 */
const JITTER = 0.05;

/** A timeout that is noticed so much later found this process at a standstill. */
const STALL = milliseconds(100);

/** One look; `undefined`: it could not be had, which says nothing of what is looked at. */
export type RunLook = (signal: AbortSignal) => Promise<ProbeOutcome | undefined>;

/** Looks when it is its turn: a probe of one kind, as its timing says. */
export class TimedLook extends Look {
  readonly durations = new Durations();
  readonly #world: TimedLookWorld;
  readonly #probe: RunLook;
  readonly #slot: Slot;
  readonly #config: CheckerConfig;
  readonly #logAllFailures: boolean;
  #state = checker.initial;
  #running: AbortController | undefined;
  #weight: number | undefined;
  #reason = "";
  #warning = "";
  #runs = 0;
  #failures = 0;
  #failing = 0;
  /** It was given up, and may yet say what it waited for. */
  #abandoned: AbortController | undefined;
  #lastMs: number | null = null;
  #suspended = true;
  /** The run before was lost to a stall. */
  #stalled = false;

  /** `seed`: what its start is spread by, another number for each look. */
  constructor(world: TimedLookWorld, timing: CheckTiming, probe: RunLook, seed: number) {
    super();
    this.#world = world;
    this.#probe = probe;
    this.#logAllFailures = timing.logAllFailures;
    const { interval, timeout, retries, retryInterval, warmup } = timing;
    this.#config = {
      interval,
      timeout,
      rise: 1,
      fall: retries + 1,
      // What that counts as is the virtual server's to say.
      initial: "unknown",
      staleAfter: undefined,
      startDelay: micros(warmup * spread(seed, 0)),
      jitter: { span: micros(interval * JITTER), seed, early: true },
      retryInterval,
    };
    this.#slot = world.schedule.slot((now) => this.#due(now));
  }

  override get reason(): string {
    return this.#reason;
  }

  figures(): LookFigures {
    const { p50, p99 } = this.durations.latency() ?? { p50: null, p99: null };
    const counted = { runs: this.#runs, failures: this.#failures, failing: this.#failing };
    return { ...counted, lastMs: this.#lastMs, p50Ms: p50, p99Ms: p99 };
  }

  close(): void {
    this.#slot.set(undefined);
    this.#running?.abort();
    this.#running = undefined;
    this.#suspended = true;
  }

  protected suspend(suspended: boolean): void {
    this.#suspended = suspended;
    if (suspended) this.#standStill();
    // Anew, with its warmup: after a failover thousands would look at one moment. What was found holds.
    else this.#step({ kind: "start" });
  }

  /** What it found holds; what runs counts for nothing. */
  #standStill(): void {
    this.#slot.set(undefined);
    this.#lose();
  }

  #lose(): void {
    const { running } = this.#state;
    this.#running?.abort();
    this.#running = undefined;
    if (running === undefined) return;
    this.#step({ kind: "result", run: running.run, result: "lost", reason: "" });
  }

  /**
   * An answer that waits while a timeout is noticed came in time, or nobody knows that it did not: it is
   * heard first. A look that a stall of this process has cost is made once more; but once in a row only, as
   * who is always late has to find as well.
   */
  #due(now: Instant): void {
    const { running } = this.#state;
    if (running === undefined || now < running.timeoutAt) {
      this.#step({ kind: "tick" });
      return;
    }
    const excused = !this.#stalled && since(running.timeoutAt, now) > STALL;
    if (excused) this.#stalled = true;
    setImmediate(() => {
      if (this.#suspended) return;
      const lost = excused && this.#state.running?.run === running.run;
      if (lost) this.#lose();
      this.#step({ kind: lost ? "hasten" : "tick" });
    });
  }

  #step(event: CheckerEvent): void {
    const now = this.#world.clock.now();
    const { state, effects } = checker.step(this.#config, this.#state, event, now);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind === "run") this.#run(effect.run);
      else if (effect.kind === "abandon") this.#abandon();
    }
    this.#slot.set(this.#suspended ? undefined : this.#wakeAt());
    this.#tell();
  }

  #wakeAt(): Instant | undefined {
    const deadline = checker.deadline(this.#state);
    if (deadline === undefined || deadline !== this.#state.nextAt) return deadline;
    const grain = Math.max(1, Math.min(GRAIN, Math.floor(this.#config.interval / GRAINS)));
    return instant(Math.ceil(deadline / grain) * grain);
  }

  #run(run: number): void {
    const controller = new AbortController();
    this.#running = controller;
    void this.#probe(controller.signal).then((outcome) => {
      // Closed, suspended, or counted already, as it took too long.
      if (this.#running !== controller) {
        if (this.#abandoned === controller && outcome?.ok === false) this.#explain(outcome.reason);
        return;
      }
      this.#running = undefined;
      this.#stalled = false;
      if (outcome === undefined) {
        this.#step({ kind: "result", run, result: "lost", reason: "" });
        return;
      }
      this.#count(outcome);
      const { ok, reason } = outcome;
      this.#step({ kind: "result", run, result: ok ? "good" : "bad", reason });
    });
  }

  #abandon(): void {
    const abandoned = this.#running;
    abandoned?.abort();
    this.#running = undefined;
    this.#stalled = false;
    this.#count({ ok: false, reason: "timeout", ms: this.#config.timeout / 1_000 });
    this.#abandoned = abandoned;
  }

  /** A run that was given up knows what it waited for: better than that time was over. */
  #explain(reason: string): void {
    this.#abandoned = undefined;
    this.#reason = reason;
    const { finding } = this;
    if (finding.verdict === "down" && finding.reason === "timeout")
      this.found({ ...finding, reason });
  }

  #count({ ok, reason, weight, ms, warning }: ProbeOutcome): void {
    this.#runs += 1;
    this.#lastMs = ms;
    this.#reason = reason;
    this.#abandoned = undefined;
    if (ok) {
      this.#failing = 0;
      // To be refused is quick, and to be left waiting says how patient the check is.
      this.durations.take(ms);
      this.#weight = weight;
      if (warning !== undefined && warning !== this.#warning) this.#world.warn(warning);
      this.#warning = warning ?? "";
      return;
    }
    this.#failures += 1;
    this.#failing += 1;
    if (this.#logAllFailures) this.#world.failed(reason);
  }

  /** A failure that is no verdict yet is none of the pool's business, nor are other words for success. */
  #tell(): void {
    const { verdict } = this.#state;
    if (verdict === "unknown") return;
    const before = this.finding;
    const weight = verdict === "up" ? this.#weight : before.weight;
    if (verdict === before.verdict && weight === before.weight) return;
    this.found({ ...NOT_FOUND, verdict, reason: this.#reason, weight });
  }
}
