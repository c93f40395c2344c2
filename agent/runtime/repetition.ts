import type { Instant, Micros } from "../core/time.ts";
import { seconds, since } from "../core/time.ts";

/** A line about the same thing is repeated no sooner, where nothing else was asked for. */
const QUIET = seconds(10);

/** More things than this at a time are a flood: the one told longest ago is forgotten. */
const REMEMBERED = 1_024;

interface Told {
  readonly at: Instant;
  /** How often it happened since, untold. */
  readonly suppressed: number;
}

/** Lets one line through per thing and span, and says how many it held back. */
export class Repetition {
  readonly #told = new Map<string, Told>();
  readonly #quiet: Micros;

  constructor(quiet: Micros = QUIET) {
    this.#quiet = quiet;
  }

  /** Answers how often it happened since the last line, this time included; 0: say nothing. */
  happened(key: string, now: Instant): number {
    const told = this.#told.get(key);
    if (told !== undefined && since(told.at, now) < this.#quiet) {
      this.#told.set(key, { at: told.at, suppressed: told.suppressed + 1 });
      return 0;
    }
    this.#told.delete(key);
    this.#told.set(key, { at: now, suppressed: 0 });
    if (this.#told.size > REMEMBERED) {
      const [oldest] = this.#told.keys();
      if (oldest !== undefined) this.#told.delete(oldest);
    }
    return (told?.suppressed ?? 0) + 1;
  }
}
