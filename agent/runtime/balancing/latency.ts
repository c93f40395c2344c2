/** Milliseconds of runs that succeeded: the last one, and of the last 64 the middle and the slowest but 1 %. */
export interface Latency {
  readonly last: number;
  readonly p50: number;
  readonly p99: number;
}

/** Upper bounds of the cumulative buckets, in seconds; what took longer is in one more. */
export const BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** So few that V8 holds them beside the object: thousands of checks have one each. */
const WINDOW = 64;
/** A byte counts tenths of octaves: 0.01 ms to 8 minutes, 7 % apart. */
const LEAST_MS = 0.01;
const PER_OCTAVE = 10;
const MOST_CODE = 255;

/** How long a check takes that succeeds: lately, and since it began. About 650 bytes. */
export class Durations {
  readonly #recent = new Uint8Array(WINDOW);
  readonly #counts = new Uint32Array(BUCKETS.length + 1);
  #count = 0;
  #sumMs = 0;
  #lastMs = 0;
  /** Sorting is left to who asks, and asked for more often than there is something new. */
  #known: Latency | undefined;

  get count(): number {
    return this.#count;
  }

  /** Of all, in milliseconds. */
  get sumMs(): number {
    return this.#sumMs;
  }

  /** Runs by bucket of `BUCKETS`, each counted once. */
  get counts(): Readonly<Uint32Array> {
    return this.#counts;
  }

  take(ms: number): void {
    this.#recent[this.#count % WINDOW] = codeOf(ms);
    const bucket = BUCKETS.findIndex((bound) => ms <= bound * 1_000);
    const at = bucket < 0 ? BUCKETS.length : bucket;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#count += 1;
    this.#sumMs += ms;
    this.#lastMs = ms;
    this.#known = undefined;
  }

  /** `undefined`: none has succeeded yet. */
  latency(): Latency | undefined {
    if (this.#count === 0) return undefined;
    this.#known ??= this.#latency();
    return this.#known;
  }

  #latency(): Latency {
    const sorted = this.#recent.slice(0, Math.min(this.#count, WINDOW)).sort();
    const rank = (part: number): number =>
      msOf(sorted[Math.ceil(part * sorted.length) - 1] ?? MOST_CODE);
    return { last: this.#lastMs, p50: rank(0.5), p99: rank(0.99) };
  }
}

/** A check that may have turns of its own. */
interface Timed {
  readonly look: { readonly durations: Durations | undefined };
}

/**
 * How long a real server takes to answer: as the slowest of its checks says, by its middle. To open a
 * connection is quick where the page behind it is not.
 */
export function latencyOf(checks: readonly Timed[]): Latency | undefined {
  let slowest: Latency | undefined;
  for (const { look } of checks) {
    const latency = look.durations?.latency();
    if (latency !== undefined && latency.p50 > (slowest?.p50 ?? -1)) slowest = latency;
  }
  return slowest;
}

const codeOf = (ms: number): number =>
  Math.max(0, Math.min(MOST_CODE, Math.round(Math.log2(ms / LEAST_MS) * PER_OCTAVE)));

/** Three digits: there is no more in a code. */
const msOf = (code: number): number => Number((LEAST_MS * 2 ** (code / PER_OCTAVE)).toPrecision(3));
