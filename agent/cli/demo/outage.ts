/** An answer that the client got. Monotonic milliseconds of the question. */
export interface Answered {
  readonly sentMs: number;
  /** The node that answered. */
  readonly by: string;
}

/** Enough for a minute of probes, so that a demo left open does not grow. */
const KEPT = 12_000;

/** What the client has seen, in the order of its questions. */
export class ClientRecord {
  #answers: Answered[] = [];

  add(answer: Answered): void {
    // Answers overtake each other by a probe or two, no more.
    let at = this.#answers.length;
    while (at > 0 && (this.#answers[at - 1]?.sentMs ?? 0) > answer.sentMs) at -= 1;
    this.#answers.splice(at, 0, answer);
    if (this.#answers.length >= 2 * KEPT) this.#answers = this.#answers.slice(-KEPT);
  }

  get last(): Answered | undefined {
    return this.#answers.at(-1);
  }

  /** The longest time without an answer since the last one before `sinceMs`. */
  longestGap(sinceMs: number): number {
    let previous: number | undefined;
    let longest = 0;
    for (let at = this.#answers.length - 1; at >= 0; at -= 1) {
      const { sentMs } = this.#answers[at] ?? { sentMs: 0 };
      if (previous !== undefined) longest = Math.max(longest, previous - sentMs);
      if (sentMs < sinceMs) break;
      previous = sentMs;
    }
    return longest;
  }

  /** Whether `by` has answered all that was asked since `spanMs` ago, and keeps answering. */
  settledOn(by: string, nowMs: number, spanMs: number): boolean {
    let newest = Number.NEGATIVE_INFINITY;
    for (let at = this.#answers.length - 1; at >= 0; at -= 1) {
      const answer = this.#answers[at];
      if (answer === undefined || answer.by !== by) return false;
      newest = Math.max(newest, answer.sentMs);
      if (answer.sentMs < nowMs - spanMs) return newest > nowMs - spanMs / 2;
    }
    return false;
  }
}
