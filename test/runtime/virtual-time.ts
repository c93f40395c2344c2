import type { Instant } from "../../agent/core/time.ts";
import { after, instant, milliseconds } from "../../agent/core/time.ts";
import type { Clock, OpenTimer, Timer } from "../../agent/ports/clock.ts";

interface Alarm {
  at: Instant | undefined;
  readonly due: () => void;
}

/** Lets promises, and what they start, run: messages between fakes take a turn each. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that moves only when a test says so, and the timers on it. */
export class VirtualTime {
  /** An uptime of some days, so that a delay after boot is over. */
  #now = instant(1e12);
  readonly #alarms = new Set<Alarm>();

  readonly clock: Clock = {
    now: () => this.#now,
    wallClock: () => 1_700_000_000_000 + Math.floor((this.#now - 1e12) / 1_000),
  };

  readonly openTimer: OpenTimer = (due): Timer => {
    const alarm: Alarm = { at: undefined, due };
    this.#alarms.add(alarm);
    return {
      set: (at) => {
        alarm.at = at;
      },
      close: () => {
        this.#alarms.delete(alarm);
      },
    };
  };

  readonly later = (delayMs: number, then: () => void): (() => void) => {
    const alarm: Alarm = {
      at: after(this.#now, milliseconds(delayMs)),
      due: () => {
        this.#alarms.delete(alarm);
        then();
      },
    };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  };

  get now(): Instant {
    return this.#now;
  }

  get nowMs(): number {
    return (this.#now - 1e12) / 1_000;
  }

  /** Everything that is due until then happens at its time. */
  async advance(ms: number): Promise<void> {
    const until = after(this.#now, milliseconds(ms));
    await settle();
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      if (next.at !== undefined && next.at > this.#now) this.#now = next.at;
      next.at = undefined;
      next.due();
      await settle();
    }
    this.#now = until;
  }

  /** The process did not run for this long: timers fire late. */
  stall(ms: number): void {
    this.#now = after(this.#now, milliseconds(ms));
  }

  #next(until: Instant): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.at === undefined || alarm.at > until) continue;
      if (first?.at === undefined || alarm.at < first.at) first = alarm;
    }
    return first;
  }
}
