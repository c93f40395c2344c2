import type { ProbeConfig } from "../../config/virtual-servers.ts";
import type { Finding } from "../../core/virtual-server/pool.ts";
import { NOT_FOUND } from "../../core/virtual-server/pool.ts";
import type { Durations } from "./latency.ts";

/** What a look has to say of its own work. */
export interface LookFigures {
  readonly runs: number;
  readonly failures: number;
  /** Failed runs in a row, up to the last one. */
  readonly failing: number;
  /** Milliseconds of the last run. */
  readonly lastMs: number | null;
  /** Of runs lately that succeeded; `null`: none has. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export type LookListener = (finding: Finding) => void;

/** One check at work, for all real servers that look at the same in the same way. */
export abstract class Look {
  readonly #listeners = new Set<LookListener>();
  #awake = 0;
  #finding = NOT_FOUND;

  get finding(): Finding {
    return this.#finding;
  }

  abstract figures(): LookFigures;

  /** What it found last, also where that changes no verdict. */
  get reason(): string {
    return this.#finding.reason;
  }

  /** How long it takes; `undefined`: it has no turns of its own. */
  abstract readonly durations: Durations | undefined;
  /** Nobody wants it any more. */
  abstract close(): void;
  /** All who want it have it stand still (ha_suspend), or some do not. */
  protected abstract suspend(suspended: boolean): void;

  /** Hears what was found, if anything was, and whatever is found later. */
  attach(listener: LookListener): void {
    this.#listeners.add(listener);
    if (this.#finding !== NOT_FOUND) listener(this.#finding);
    this.#wake(1);
  }

  /** Answers whether nobody is left. `awake`: it was not suspended for this one. */
  detach(listener: LookListener, awake: boolean): boolean {
    this.#listeners.delete(listener);
    if (awake) this.#wake(-1);
    return this.#listeners.size === 0;
  }

  /** One of those who hear of it has it stand still, or wants it again. */
  wake(awake: boolean): void {
    this.#wake(awake ? 1 : -1);
  }

  protected found(finding: Finding): void {
    const before = this.#finding;
    this.#finding = finding;
    const same =
      before.verdict === finding.verdict &&
      before.weight === finding.weight &&
      before.extra === finding.extra &&
      before.reason === finding.reason;
    if (same) return;
    for (const listener of this.#listeners) listener(finding);
  }

  #wake(by: number): void {
    const before = this.#awake > 0;
    this.#awake += by;
    const now = this.#awake > 0;
    if (before !== now) this.suspend(!now);
  }
}

/** Equal for two checks that look at the same; where they stand in the file plays no part. */
export function lookKey(probe: ProbeConfig, timing: unknown): string {
  if (probe.kind !== "misc") return JSON.stringify([probe, timing]);
  const { argv, runAs } = probe.command;
  return JSON.stringify([{ ...probe, command: { argv, runAs } }, timing]);
}
