/** How many requests of a half ttl are remembered. */
const MOST = 32;

/**
 * When the ensemble's leader heard of our session, for certain.
 *
 * A server tells its leader only every half tick which sessions gave a sign of life. If it dies right
 * after an answer to us, the leader counts from an earlier sign. So the session is asked to be half as
 * long again as a lease, and an answer counts only where the leader must have heard of us within the
 * half ttl before the request: by a connection that was made then, which a server asks its leader about,
 * or by a sign that is a quarter of the ttl old or older, which is half a tick at ttls of two ticks or more.
 */
export class Touches {
  readonly #half: number;
  readonly #quarter: number;
  #connectedAt = Number.NEGATIVE_INFINITY;
  /** When requests were sent that were answered; oldest first, none older than is of use. */
  #answered: readonly number[] = [];

  /** @param ttl in the unit of all times here. */
  constructor(ttl: number) {
    this.#half = ttl / 2;
    this.#quarter = ttl / 4;
  }

  /** @param at when the attempt began that led to a connection. */
  connected(at: number): void {
    this.#connectedAt = at;
    this.#answered = [];
  }

  answered(sentAt: number): void {
    const recent = this.#answered.filter((at) => at >= sentAt - this.#half);
    const newest = recent.at(-1) ?? Number.NEGATIVE_INFINITY;
    // However often it is asked, few are kept, and old ones among them.
    this.#answered = sentAt - newest < this.#half / MOST ? recent : [...recent, sentAt];
  }

  /** Whether the session lives for a whole ttl from then, if a request sent then is answered. */
  vouchFor(sentAt: number): boolean {
    const earliest = sentAt - this.#half;
    return (
      this.#connectedAt >= earliest ||
      this.#answered.some((at) => at >= earliest && at <= sentAt - this.#quarter)
    );
  }
}
