import type { Instant } from "../../core/time.ts";
import { after, instant, micros, milliseconds, since } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Schedule, Slot } from "../schedule.ts";

/**
 * After its work it rests so many times as long, within bounds: what is proportional to a whole pool
 * would else be done once for each of its servers when thousands of them fail one after another.
 */
const REST = 4;
const LONGEST_REST = milliseconds(100);

/** Work that many ask for within one turn of the event loop, and that is done once after it. */
export class Turn<Item> {
  readonly #clock: Clock;
  readonly #work: (items: readonly Item[]) => void;
  readonly #items = new Set<Item>();
  readonly #slot: Slot;
  #restsUntil: Instant = instant(0);

  constructor(clock: Clock, schedule: Schedule, work: (items: readonly Item[]) => void) {
    this.#clock = clock;
    this.#work = work;
    this.#slot = schedule.slot(() => this.flush());
  }

  add(item: Item): void {
    this.#items.add(item);
    if (this.#items.size > 1) return;
    if (this.#clock.now() < this.#restsUntil) this.#slot.set(this.#restsUntil);
    else setImmediate(() => this.flush());
  }

  flush(): void {
    const items = [...this.#items];
    this.#items.clear();
    this.#slot.set(undefined);
    if (items.length === 0) return;
    const begun = this.#clock.now();
    this.#work(items);
    const now = this.#clock.now();
    this.#restsUntil = after(now, micros(Math.min(REST * since(begun, now), LONGEST_REST)));
  }
}
