import type { LetterIds } from "../../control/protocol.ts";
import type { Notice } from "../../core/notify/notice.ts";
import type { DeadLetter } from "./outbox-entry.ts";

const MOST = 10_000;
const MOST_BYTES = 16 * 1_024 * 1_024;
const MOST_DEAD = 1_000;

export interface ContentsEvents {
  /** There was no room for it any more. */
  dropped(id: number, notice: Notice): void;
  /** A dead one, of which there are too many. */
  forgotten(id: number): void;
  said(message: string): void;
}

interface Kept {
  readonly notice: Notice;
  readonly bytes: number;
}

/** What is in the outbox, and how much of it there may be: the oldest of little weight goes first. */
export class Contents {
  readonly #events: ContentsEvents;
  readonly #kept = new Map<number, Kept>();
  #bytes = 0;
  #dead: DeadLetter[] = [];
  #dropped = 0;

  constructor(events: ContentsEvents) {
    this.#events = events;
  }

  get queued(): number {
    return this.#kept.size;
  }

  get dead(): readonly DeadLetter[] {
    return this.#dead;
  }

  /** Since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  add(id: number, notice: Notice): void {
    const bytes = JSON.stringify(notice).length;
    this.#kept.set(id, { notice, bytes });
    this.#bytes += bytes;
    while (this.#kept.size > MOST || this.#bytes > MOST_BYTES) this.#drop();
  }

  remove(id: number): Notice | undefined {
    const kept = this.#kept.get(id);
    if (kept === undefined) return undefined;
    this.#kept.delete(id);
    this.#bytes -= kept.bytes;
    return kept.notice;
  }

  died(letter: DeadLetter): void {
    this.#dead.push(letter);
    if (this.#dead.length <= MOST_DEAD) return;
    const oldest = this.#dead.shift();
    if (oldest !== undefined) this.#events.forgotten(oldest.id);
  }

  /** Takes dead ones out, oldest first: these, or all. Throws an Error for an id of none. */
  takeDead(ids: LetterIds): readonly DeadLetter[] {
    const wanted = new Set(ids === "all" ? this.#dead.map(({ id }) => id) : ids);
    const taken = this.#dead.filter(({ id }) => wanted.has(id));
    for (const { id } of taken) wanted.delete(id);
    const [unknown] = wanted;
    if (unknown !== undefined) throw new Error(`nothing with the ID ${unknown} was given up`);
    this.#dead = this.#dead.filter((letter) => !taken.includes(letter));
    return taken;
  }

  #drop(): void {
    const id = this.#lightest();
    const notice = id === undefined ? undefined : this.remove(id);
    if (id === undefined || notice === undefined) return;
    this.#dropped += 1;
    // At the first one and then seldom: 1, 10, 100, … and each thousand.
    const count = this.#dropped;
    if (/^10*$/.test(String(count)) || count % 1_000 === 0) {
      this.#events.said(
        `the outbox is full (${MOST} notices, or 16 MiB): ${count} of the oldest were dropped`,
      );
    }
    this.#events.dropped(id, notice);
  }

  /** The oldest that is information only, else the oldest. */
  #lightest(): number | undefined {
    for (const [id, { notice }] of this.#kept) if (notice.severity === "info") return id;
    const [first] = this.#kept.keys();
    return first;
  }
}
