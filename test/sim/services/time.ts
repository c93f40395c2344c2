import type { Instant } from "../../../agent/core/time.ts";
import { instant } from "../../../agent/core/time.ts";
import type { Clock, OpenTimer } from "../../../agent/ports/clock.ts";
import { Queue } from "../queue.ts";

/** A node that has been up for a while, in microseconds. */
const UPTIME = 1e12;
const WALL = 1_700_000_000_000;

/** The longest way from something that happens to all that follows from it at the same moment. */
const TURNS = 4;

/** Virtual time for parts that go by promises: what follows from a thing is done before the next one. */
export class Time {
  /** Microseconds since the start of the trial. */
  now = 0;
  events = 0;
  readonly #queue = new Queue<() => boolean>();

  readonly clock: Clock = {
    now: () => this.instant,
    wallClock: () => WALL + Math.floor(this.now / 1_000),
  };

  get instant(): Instant {
    return instant(UPTIME + this.now);
  }

  at(time: number, run: () => void): void {
    this.#queue.push(Math.max(Math.ceil(time), this.now), () => {
      run();
      return true;
    });
  }

  later(delay: number, run: () => void): void {
    this.at(this.now + delay, run);
  }

  readonly openTimer: OpenTimer = (due) => {
    let armed = 0;
    return {
      set: (at) => {
        armed += 1;
        const number = armed;
        if (at === undefined) return;
        this.#queue.push(Math.max(at - UPTIME, this.now), () => {
          if (number !== armed) return false;
          armed += 1;
          due();
          return true;
        });
      },
      close: () => {
        armed = -1;
      },
    };
  };

  /** `looked` is called after each thing that happened, when all that follows from it is done. */
  async runUntil(end: number, looked: () => void): Promise<void> {
    for (;;) {
      const at = this.#queue.nextAt;
      if (at === undefined || at > end) break;
      this.now = at;
      if (this.#queue.pop()?.() !== true) continue;
      this.events += 1;
      await turns();
      looked();
    }
    this.now = end;
  }
}

export async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
