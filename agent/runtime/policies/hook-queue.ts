import { after, milliseconds } from "../../core/time.ts";
import type { EventName } from "../../policy/shape.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Schedule, Slot } from "../schedule.ts";

/** One hook to be run. */
export interface HookCall {
  readonly name: EventName;
  /** JSON. */
  readonly event: string;
}

/** Ends a hook that takes too long. */
export interface HookRun {
  readonly ended: Promise<void>;
  abandon(): void;
}

/** Events for one policy. */
export const MOST_WAITING = 256;
export const HOOK_TIMEOUT = milliseconds(30_000);

/** The hooks of one policy, one after another. */
export class HookQueue {
  readonly #waiting: HookCall[] = [];
  readonly #run: (call: HookCall) => HookRun | undefined;
  readonly #overflown: (events: number) => void;
  readonly #clock: Clock;
  readonly #slot: Slot;
  #running: HookRun | undefined;
  /** Events that nobody heard of, because there were too many. */
  #dropped = 0;

  /**
   * @param run answers `undefined` when hooks cannot be run now: the event is left out
   * @param overflown hears how many events were left out, once the queue is empty again
   */
  constructor(
    ports: { readonly clock: Clock; readonly schedule: Schedule },
    run: (call: HookCall) => HookRun | undefined,
    overflown: (events: number) => void,
  ) {
    this.#clock = ports.clock;
    this.#run = run;
    this.#overflown = overflown;
    this.#slot = ports.schedule.slot(() => {
      const late = this.#running;
      this.#running = undefined;
      late?.abandon();
      this.#next();
    });
  }

  push(call: HookCall): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#waiting.shift();
      this.#dropped += 1;
    }
    this.#waiting.push(call);
    if (this.#running === undefined) this.#next();
  }

  /** Nothing that waits is heard of any more. */
  clear(): void {
    this.#waiting.length = 0;
    const running = this.#running;
    this.#running = undefined;
    this.#slot.set(undefined);
    running?.abandon();
  }

  #next(): void {
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) {
      const running = this.#run(call);
      if (running === undefined) continue;
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
    if (this.#dropped === 0) return;
    this.#overflown(this.#dropped);
    this.#dropped = 0;
  }
}
