import { after, milliseconds } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Schedule, Slot } from "../schedule.ts";

/** One hook to be run. */
export interface HookCall {
  readonly name: string;
  /** JSON. */
  readonly event: string;
}

/** Ends a hook that takes too long. */
export interface HookRun {
  readonly ended: Promise<void>;
  abandon(): void;
}

const MOST_WAITING = 256;
export const HOOK_TIMEOUT = milliseconds(30_000);

/** The hooks of one policy, one after another. */
export class HookQueue {
  readonly #waiting: HookCall[] = [];
  readonly #run: (call: HookCall) => HookRun | undefined;
  readonly #clock: Clock;
  readonly #slot: Slot;
  #running: HookRun | undefined;
  /** Events that nobody heard of. */
  dropped = 0;

  /** `run` answers `undefined` when hooks cannot be run now: the event is dropped. */
  constructor(clock: Clock, schedule: Schedule, run: (call: HookCall) => HookRun | undefined) {
    this.#clock = clock;
    this.#run = run;
    this.#slot = schedule.slot(() => {
      const late = this.#running;
      this.#running = undefined;
      late?.abandon();
      this.#next();
    });
  }

  push(call: HookCall): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#waiting.shift();
      this.dropped += 1;
    }
    this.#waiting.push(call);
    if (this.#running === undefined) this.#next();
  }

  /** Nothing that waits is heard of any more. */
  clear(): void {
    this.dropped += this.#waiting.length;
    this.#waiting.length = 0;
    const running = this.#running;
    this.#running = undefined;
    this.#slot.set(undefined);
    running?.abandon();
  }

  #next(): void {
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) {
      const running = this.#run(call);
      if (running === undefined) {
        this.dropped += 1;
        continue;
      }
      this.#running = running;
      this.#slot.set(after(this.#clock.now(), HOOK_TIMEOUT));
      void running.ended.then(() => {
        if (this.#running !== running) return;
        this.#running = undefined;
        this.#slot.set(undefined);
        this.#next();
      });
      return;
    }
  }
}
