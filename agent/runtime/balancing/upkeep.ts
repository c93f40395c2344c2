import type { Micros } from "../../core/time.ts";
import { after } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Schedule, Slot } from "../schedule.ts";

/** Does something again and again, one time after another, as often as `interval` says then. */
export class Upkeep {
  readonly #clock: Clock;
  readonly #slot: Slot;
  readonly #interval: () => Micros | undefined;
  #closed = false;

  /** `interval`: `undefined` while there is nothing to do. */
  constructor(
    clock: Clock,
    schedule: Schedule,
    interval: () => Micros | undefined,
    work: () => void | Promise<void>,
  ) {
    this.#clock = clock;
    this.#interval = interval;
    this.#slot = schedule.slot(() => {
      const done = work();
      if (done === undefined) this.arm();
      else void done.then(() => this.arm());
    });
  }

  /** There may be something to do now. */
  arm(): void {
    if (this.#closed || this.#slot.at !== undefined) return;
    const interval = this.#interval();
    if (interval !== undefined) this.#slot.set(after(this.#clock.now(), interval));
  }

  close(): void {
    this.#closed = true;
    this.#slot.set(undefined);
  }
}
