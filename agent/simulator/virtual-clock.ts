import type { Instant, Micros } from "../core/time.ts";
import { after, instant } from "../core/time.ts";
import type { Clock, OpenTimer, Timer } from "../ports/clock.ts";

interface Alarm {
  at: Instant | undefined;
  readonly due: () => void;
}

/** A node that has been up for a while: no delay after boot is under way. */
const UPTIME = instant(1e12);

/** A clock that moves when it is told to, and the timers on it. */
export class VirtualClock implements Clock {
  readonly #start: number;
  #now = UPTIME;
  /** Few: all deadlines of a host of policies are in one of them. */
  readonly #alarms: Alarm[] = [];

  /** @param start wall-clock milliseconds */
  constructor(start: number) {
    this.#start = start;
  }

  now(): Instant {
    return this.#now;
  }

  wallClock(): number {
    return this.#start + this.elapsedMs;
  }

  /** Milliseconds since the start. */
  get elapsedMs(): number {
    return (this.#now - UPTIME) / 1_000;
  }

  readonly openTimer: OpenTimer = (due): Timer => {
    const alarm: Alarm = { at: undefined, due };
    this.#alarms.push(alarm);
    return {
      set: (at) => {
        alarm.at = at;
      },
      close: () => this.#remove(alarm),
    };
  };

  /** Once, so much later; not before what is done now is over. */
  later(delay: Micros, due: () => void): void {
    const alarm: Alarm = {
      at: after(this.#now, delay),
      due: () => {
        this.#remove(alarm);
        due();
      },
    };
    this.#alarms.push(alarm);
  }

  /** Moves to what is due first until then, and lets it happen. Answers `false` when nothing is. */
  step(until: Instant): boolean {
    const first = this.#first();
    if (first?.at === undefined || first.at > until) return false;
    if (first.at > this.#now) this.#now = first.at;
    first.at = undefined;
    first.due();
    return true;
  }

  /** Nothing is due until then. */
  skip(until: Instant): void {
    if (until > this.#now) this.#now = until;
  }

  /** The earliest; of equal ones the one that was set up first. */
  #first(): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.at === undefined) continue;
      if (first?.at === undefined || alarm.at < first.at) first = alarm;
    }
    return first;
  }

  #remove(alarm: Alarm): void {
    const at = this.#alarms.indexOf(alarm);
    if (at >= 0) this.#alarms.splice(at, 1);
  }
}
