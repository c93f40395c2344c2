import type { Instant, Micros } from "../core/time.ts";
import { milliseconds, since } from "../core/time.ts";
import type { Clock, OpenTimer, Timer } from "../ports/clock.ts";

/** One deadline of one owner. `undefined` disarms. */
export interface Slot {
  readonly at: Instant | undefined;
  set(at: Instant | undefined): void;
}

/** Later than this, the process was stalled, and packets may be waiting that change what is due. */
const STALL = milliseconds(2);

/**
 * All deadlines of a process over one timer. After a stall, packets are drained before an expired
 * deadline acts: an advertisement that waits in a socket is older than the deadline it defers.
 */
export class Schedule {
  readonly #heap: Entry[] = [];
  readonly #clock: Clock;
  readonly #drain: () => void;
  readonly #late: (lateness: Micros) => void;
  readonly #timer: Timer;
  #armed: Instant | undefined;
  /** Draining or running what is due: the timer is armed once at the end. */
  #busy = false;
  #closed = false;

  /** `drain` hands over every packet that waits in a socket; `late` hears of each stall. */
  constructor(
    clock: Clock,
    openTimer: OpenTimer,
    drain: () => void,
    late: (lateness: Micros) => void = () => undefined,
  ) {
    this.#clock = clock;
    this.#drain = drain;
    this.#late = late;
    this.#timer = openTimer(() => this.#due());
  }

  slot(due: (now: Instant) => void): Slot {
    return new Entry(due, (entry, at) => this.#move(entry, at));
  }

  close(): void {
    this.#closed = true;
    this.#timer.close();
  }

  #due(): void {
    const first = this.#heap[0];
    if (first?.at === undefined || this.#busy) return;
    // The timer fired: it is no longer set.
    this.#armed = undefined;
    this.#busy = true;
    const lateness = since(first.at, this.#clock.now());
    if (lateness > STALL) {
      this.#drain();
      this.#late(lateness);
    }
    this.#run(this.#clock.now());
  }

  #run(now: Instant): void {
    if (this.#closed) return;
    // Deadlines that owners set anew while this runs, and that are due already, wait for the next
    // turn: one owner cannot starve the packets.
    const expired: Entry[] = [];
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.at === undefined || first.at > now) break;
      this.#remove(first);
      expired.push(first);
    }
    for (const entry of expired) {
      if (!entry.pending) continue;
      entry.pending = false;
      entry.due(now);
    }
    this.#busy = false;
    this.#arm();
  }

  #move(entry: Entry, at: Instant | undefined): void {
    entry.pending = false;
    if (entry.index >= 0) this.#remove(entry);
    entry.at = at;
    if (at !== undefined) this.#insert(entry);
    this.#arm();
  }

  #arm(): void {
    const at = this.#heap[0]?.at;
    if (this.#busy || at === this.#armed || this.#closed) return;
    this.#armed = at;
    this.#timer.set(at);
  }

  #insert(entry: Entry): void {
    entry.index = this.#heap.length;
    this.#heap.push(entry);
    this.#up(entry);
  }

  #remove(entry: Entry): void {
    const last = this.#heap.pop();
    if (last !== undefined && last !== entry) {
      last.index = entry.index;
      this.#heap[entry.index] = last;
      this.#up(last);
      this.#down(last);
    }
    entry.index = -1;
    entry.pending = true;
    entry.at = undefined;
  }

  #up(entry: Entry): void {
    while (entry.index > 0) {
      const parent = this.#heap[(entry.index - 1) >> 1];
      if (parent === undefined || !entry.before(parent)) return;
      this.#swap(parent, entry);
    }
  }

  #down(entry: Entry): void {
    for (;;) {
      const left = this.#heap[entry.index * 2 + 1];
      const right = this.#heap[entry.index * 2 + 2];
      const child = right !== undefined && left !== undefined && right.before(left) ? right : left;
      if (child === undefined || !child.before(entry)) return;
      this.#swap(entry, child);
    }
  }

  #swap(parent: Entry, child: Entry): void {
    const { index } = parent;
    parent.index = child.index;
    child.index = index;
    this.#heap[child.index] = child;
    this.#heap[parent.index] = parent;
  }
}

class Entry implements Slot {
  at: Instant | undefined;
  index = -1;
  /** Taken out of the heap because it expired, and not run or set anew since. */
  pending = false;
  readonly due: (now: Instant) => void;
  readonly #move: (entry: Entry, at: Instant | undefined) => void;

  constructor(due: (now: Instant) => void, move: (entry: Entry, at: Instant | undefined) => void) {
    this.due = due;
    this.#move = move;
  }

  set(at: Instant | undefined): void {
    this.#move(this, at);
  }

  before(other: Entry): boolean {
    return (this.at ?? 0) < (other.at ?? 0);
  }
}
