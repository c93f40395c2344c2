/** A second is long enough to say what matters, a minute between two words on what was dropped. */
const WINDOW_MS = 1_000;
const SILENCE_MS = 60_000;

/** Lets so many things a second through, and counts the rest. */
export class Throttle {
  readonly #most: number;
  #windowEndsAt = Number.NEGATIVE_INFINITY;
  #passed = 0;
  #dropped = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(mostPerSecond: number) {
    this.#most = mostPerSecond;
  }

  /** `now` in milliseconds. */
  admits(now: number): boolean {
    if (now >= this.#windowEndsAt) {
      this.#windowEndsAt = now + WINDOW_MS;
      this.#passed = 0;
    }
    if (this.#passed < this.#most) {
      this.#passed++;
      return true;
    }
    this.#dropped++;
    return false;
  }

  /** Counts what was dropped elsewhere. */
  drop(count: number): void {
    this.#dropped += count;
  }

  /** How many were dropped since it was last told; 0 when it is too early to tell again. */
  takeDropped(now: number): number {
    if (this.#dropped === 0 || now < this.#toldAt + SILENCE_MS) return 0;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#toldAt = now;
    return dropped;
  }
}
