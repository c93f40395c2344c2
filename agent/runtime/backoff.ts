import type { Instant } from "../core/time.ts";
import { after, micros, seconds, since } from "../core/time.ts";
import type { Clock } from "../ports/clock.ts";
import type { Schedule, Slot } from "./schedule.ts";

const FIRST = seconds(1);
const LONGEST = seconds(300);

/** Tries again what failed: soon at first, then less and less often while it goes on failing. */
export class Backoff {
  readonly #clock: Clock;
  readonly #slot: Slot;
  #delay = FIRST;
  #triedAt: Instant | undefined;

  constructor(clock: Clock, schedule: Schedule, again: () => void) {
    this.#clock = clock;
    this.#slot = schedule.slot((now) => {
      this.#triedAt = now;
      again();
    });
  }

  /** Something failed; however often this is said, there is one next try. */
  failed(): void {
    if (this.#slot.at !== undefined) return;
    const now = this.#clock.now();
    const quiet = this.#triedAt === undefined || since(this.#triedAt, now) > 2 * this.#delay;
    this.#delay = quiet ? FIRST : micros(Math.min(2 * this.#delay, LONGEST));
    this.#slot.set(after(now, this.#delay));
  }
}
