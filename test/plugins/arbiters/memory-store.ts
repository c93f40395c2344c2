import type { LeaseAnswer } from "../../../agent/core/witness/lease-answer.ts";
import type { StoreFailure, StoreView } from "../../../agent/core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../../agent/ports/arbiter.ts";

interface Kept {
  readonly by: object;
  readonly holder: string;
  readonly epoch: string;
  readonly endsAt: number;
}

/** A store of leases in this process. Its arbiters pass the same suite as those of real stores. */
export class MemoryStore {
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #epochs = 0;
  /** It answers nothing. */
  isStill = false;

  /** @param now milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  open(): Arbiter {
    const own = {};
    const ask = async <Answer>(
      signal: AbortSignal,
      answer: () => Answer,
    ): Promise<Answer | StoreFailure> => {
      if (!signal.aborted && this.isStill) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      }
      return signal.aborted ? { kind: "unreachable", reason: "no answer in time" } : answer();
    };
    return {
      acquire: (key, signal) => ask(signal, () => this.#acquire(own, key)),
      renew: (key, signal) => ask(signal, () => this.#renew(own, key)),
      release: async ({ name }, signal) => {
        await ask(signal, () => this.#release(own, name));
      },
      look: (key, signal) => ask(signal, () => this.#look(key)),
      watch: (name, changed) => {
        const all = this.#watchers.get(name) ?? new Set();
        this.#watchers.set(name, all.add(changed));
        return () => all.delete(changed);
      },
      close: () => Promise.resolve(),
    };
  }

  #find(name: string): Kept | undefined {
    const kept = this.#kept.get(name);
    return kept === undefined || kept.endsAt <= this.#now() ? undefined : kept;
  }

  #acquire(by: object, { name, holder, ttl }: LeaseKey): LeaseAnswer {
    const there = this.#find(name);
    if (there !== undefined && there.by !== by) return { kind: "taken", holder: there.holder };
    const epoch = there?.epoch ?? String(++this.#epochs).padStart(12, "0");
    this.#kept.set(name, { by, holder, epoch, endsAt: this.#now() + ttl / 1_000 });
    return { kind: "held", epoch };
  }

  #look({ name }: LeaseKey): StoreView {
    const there = this.#find(name);
    return there === undefined ? { kind: "free" } : { kind: "taken", holder: there.holder };
  }

  #renew(by: object, key: LeaseKey): LeaseAnswer {
    return this.#find(key.name)?.by === by ? this.#acquire(by, key) : { kind: "lost" };
  }

  #release(by: object, name: string): LeaseAnswer {
    if (this.#find(name)?.by === by) this.#kept.delete(name);
    for (const changed of this.#watchers.get(name) ?? []) changed();
    return { kind: "lost" };
  }
}
