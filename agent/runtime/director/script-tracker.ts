import type { CommandConfig, ScriptTracker as ScriptConfig } from "../../config/trackers.ts";
import type { CheckerConfig, CheckerEffect, CheckerEvent } from "../../core/check/checker.ts";
import { checker } from "../../core/check/checker.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import { micros } from "../../core/time.ts";
import { NO_READING } from "../../core/track/readings.ts";
import type { ProgramOutcome } from "../../ports/programs.ts";
import type { Slot } from "../schedule.ts";
import { failureOf } from "./run-timed.ts";
import type { Tracker, TrackerFigures, TrackerWorld } from "./tracker.ts";

const PLACE: ReadonlySet<string> = new Set(["position"]);

/** A vrrp_script that runs a program: good is status 0. One run serves all who track it. */
export class ScriptTracker implements Tracker<ScriptConfig> {
  readonly #world: TrackerWorld;
  readonly #command: CommandConfig;
  readonly #slot: Slot;
  #config: ScriptConfig;
  #state = checker.initial;
  /** A result was counted. As in keepalived the first one decides, whatever rise and fall say. */
  #decided = false;
  #running: AbortController | undefined;
  #failures = 0;
  #lastMs: number | null = null;

  constructor(config: ScriptConfig, command: CommandConfig, world: TrackerWorld) {
    this.#world = world;
    this.#config = config;
    this.#command = command;
    this.#slot = world.schedule.slot(() => this.#step({ kind: "tick" }));
    world.found(config.initFail ? { ...NO_READING, verdict: "down" } : NO_READING);
    this.#step({ kind: "start" });
  }

  reconfigure(config: ScriptConfig): boolean {
    if (!plainEqual(config.run, this.#config.run, PLACE)) return false;
    if (config.initFail !== this.#config.initFail && !this.#decided) return false;
    this.#config = config;
    this.#step({ kind: "configured" });
    return true;
  }

  figures(): TrackerFigures {
    return { runs: this.#state.runs, failures: this.#failures, lastMs: this.#lastMs };
  }

  close(): void {
    this.#slot.set(undefined);
    this.#running?.abort();
    this.#running = undefined;
  }

  #checkerConfig(): CheckerConfig {
    const { interval, timeout, rise, fall, initFail } = this.#config;
    return {
      interval,
      timeout,
      rise: this.#decided ? rise : 1,
      fall: this.#decided ? fall : 1,
      initial: initFail ? "down" : "unknown",
      staleAfter: undefined,
      startDelay: micros(0),
    };
  }

  #step(event: CheckerEvent): void {
    const now = this.#world.clock.now();
    const before = this.#state.running?.run;
    const { state, effects } = checker.step(this.#checkerConfig(), this.#state, event, now);
    this.#state = state;
    if (before !== undefined && state.running?.run !== before) this.#decided = true;
    this.#slot.set(checker.deadline(state));
    for (const effect of effects) this.#act(effect);
  }

  #act(effect: CheckerEffect): void {
    switch (effect.kind) {
      case "run":
        void this.#run(effect.run);
        break;
      case "abandon":
        this.#failures += 1;
        this.#running?.abort();
        break;
      case "verdict":
        this.#world.found({ verdict: effect.verdict, value: 0, reason: effect.reason });
        break;
    }
  }

  async #run(run: number): Promise<void> {
    const controller = new AbortController();
    this.#running = controller;
    const { argv, runAs } = this.#command;
    const timeoutMs = this.#config.timeout / 1_000;
    const outcome = await this.#world.run({ argv, runAs, timeoutMs }, controller.signal);
    // Closed, or counted already, as it took too long.
    if (this.#running !== controller || controller.signal.aborted) return;
    this.#lastMs = outcome.ms;
    const failure = failureOf(outcome);
    if (failure !== undefined) this.#failures += 1;
    const reason = failure === undefined ? "status 0" : failure + lastWords(outcome);
    const result = failure === undefined ? "good" : "bad";
    this.#step({ kind: "result", run, result, reason });
  }
}

const LONGEST_WORDS = 120;

/** The last line that it wrote, which may say what is wrong. */
function lastWords({ stdout, stderr }: ProgramOutcome): string {
  const line = (stderr.trim() || stdout.trim()).split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "" : `: ${line.slice(0, LONGEST_WORDS)}`;
}
