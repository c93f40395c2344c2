import type { AutomaticPriority } from "../config/config.ts";
import { DEFAULTS } from "../config/defaults.ts";
import type { Micros } from "../core/time.ts";
import { applyScheduling } from "./scheduling.ts";

type Apply = typeof applyScheduling;

/**
 * max_auto_priority: each deadline that is met too late raises this process's real-time priority by
 * one, from the configured one up to a ceiling.
 */
export class PriorityEscalation {
  readonly #apply: Apply;
  #config: AutomaticPriority | undefined;
  #priority = 0;
  #limit: number | undefined;
  #refused = false;

  constructor(apply: Apply = applyScheduling) {
    this.#apply = apply;
  }

  /** Begins anew. `realtimePriority`: what was configured; `undefined`: none. */
  configure(
    config: AutomaticPriority | undefined,
    scheduling: {
      readonly realtimePriority: number | undefined;
      readonly realtimeLimit: number | undefined;
    },
  ): void {
    this.#config = config;
    this.#priority = scheduling.realtimePriority ?? 0;
    this.#limit = scheduling.realtimeLimit;
    this.#refused = false;
  }

  /** A deadline was met this late. Answers what came of it, for the log. */
  met(lateness: Micros): string | undefined {
    const config = this.#config;
    if (config === undefined || this.#refused || lateness < config.lateness) return undefined;
    if (this.#priority >= config.ceiling) return undefined;
    const realtimePriority = this.#priority + 1;
    const [failure] = this.#apply({
      nice: undefined,
      realtimePriority,
      realtimeLimit: this.#limit ?? DEFAULTS.realtimeLimit,
      cpuAffinity: undefined,
      noSwap: false,
    });
    const late = `a deadline was met ${Math.round(lateness / 1_000)} ms late`;
    if (failure !== undefined) {
      this.#refused = true;
      return `${late}; the kernel refused ${failure.setting} (${failure.errno}); ${failure.remedy}`;
    }
    this.#priority = realtimePriority;
    return `${late}: the real-time priority is ${realtimePriority} now`;
  }
}
