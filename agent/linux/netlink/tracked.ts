interface Entry<Config, Identity> {
  readonly config: Config;
  readonly identity: Identity;
  /** Counts up with every entry, so a look can leave out what came after it began. */
  readonly number: number;
}

/** How things of one kind are compared. */
export interface Comparison<Identity> {
  /** Whether what the kernel shows is what was wanted. */
  same(wanted: Identity, shown: Identity): boolean;
  /** Equal for all that may be the same, so that only few need be compared. */
  bucketOf(identity: Identity): string;
}

/** What this agent installed, compared with what the kernel shows: a thing that is gone is told once. */
export class Tracked<Config, Identity> {
  readonly #comparison: Comparison<Identity>;
  readonly #shown: () => Promise<readonly Identity[] | undefined>;
  readonly #gone: (config: Config) => void;
  readonly #buckets = new Map<string, readonly Entry<Config, Identity>[]>();
  #count = 0;
  #looking = false;
  #again = false;

  constructor(
    comparison: Comparison<Identity>,
    shown: () => Promise<readonly Identity[] | undefined>,
    gone: (config: Config) => void,
  ) {
    this.#comparison = comparison;
    this.#shown = shown;
    this.#gone = gone;
  }

  get empty(): boolean {
    return this.#buckets.size === 0;
  }

  add(config: Config, identity: Identity | undefined): void {
    if (identity === undefined) return;
    this.forget(identity);
    this.#count += 1;
    const bucket = this.#comparison.bucketOf(identity);
    const others = this.#buckets.get(bucket) ?? [];
    this.#buckets.set(bucket, [...others, { config, identity, number: this.#count }]);
  }

  forget(identity: Identity | undefined): void {
    if (identity === undefined) return;
    const { same, bucketOf } = this.#comparison;
    this.#keep(
      bucketOf(identity),
      (entry) => !(same(identity, entry.identity) && same(entry.identity, identity)),
    );
  }

  /** Whether anything here may be the same as this. */
  mayHold(identity: Identity): boolean {
    return this.#buckets.has(this.#comparison.bucketOf(identity));
  }

  identities(): readonly Identity[] {
    return Array.from(this.#buckets.values()).flatMap((entries) =>
      entries.map(({ identity }) => identity),
    );
  }

  /** Asks the kernel, and tells of what is not there any more. */
  async look(): Promise<void> {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    do {
      this.#again = false;
      await this.#lookOnce();
    } while (this.#again);
    this.#looking = false;
  }

  async #lookOnce(): Promise<void> {
    if (this.empty) return;
    const last = this.#count;
    const shown = await this.#shown();
    if (shown === undefined) return;
    const { bucketOf, same } = this.#comparison;
    const shownBuckets = new Map<string, Identity[]>();
    for (const one of shown) {
      const bucket = bucketOf(one);
      const others = shownBuckets.get(bucket);
      if (others === undefined) shownBuckets.set(bucket, [one]);
      else others.push(one);
    }
    for (const [bucket, entries] of [...this.#buckets]) {
      const candidates = shownBuckets.get(bucket) ?? [];
      const missing = entries.filter(
        ({ identity, number }) => number <= last && !candidates.some((one) => same(identity, one)),
      );
      this.#keep(bucket, (entry) => !missing.includes(entry));
      for (const { config } of missing) this.#gone(config);
    }
  }

  #keep(bucket: string, predicate: (entry: Entry<Config, Identity>) => boolean): void {
    const kept = (this.#buckets.get(bucket) ?? []).filter(predicate);
    if (kept.length === 0) this.#buckets.delete(bucket);
    else this.#buckets.set(bucket, kept);
  }
}
