import type { LeaseAnswer } from "../../../agent/core/witness/lease-answer.ts";
import type { StoreView } from "../../../agent/core/witness/store-view.ts";
import type { Arbiter, LeaseKey } from "../../../agent/ports/arbiter.ts";

/** A store in memory: answers at once, unless it is told otherwise. */
export class FakeStore {
  /** In place of an answer. */
  failure: Extract<LeaseAnswer, { readonly kind: "unreachable" | "refused" }> | undefined;
  /** Requests are never answered. */
  silent = false;
  /** By name: somebody else. */
  readonly others = new Map<string, string>();
  readonly ours = new Map<string, string>();
  /** `acquire a`, `renew a`, `release a`. */
  readonly asked: string[] = [];
  /** Names, each time that somebody looked. */
  readonly looked: string[] = [];
  opened = 0;
  closed = 0;
  #epoch = 0;
  readonly #watchers = new Map<string, () => void>();

  open(): Arbiter {
    this.opened += 1;
    return {
      acquire: (key) => this.#answer("acquire", key),
      renew: (key) => this.#answer("renew", key),
      release: ({ name }) => {
        this.asked.push(`release ${name}`);
        this.ours.delete(name);
        return Promise.resolve();
      },
      look: ({ name }) => this.#look(name),
      watch: (name, changed) => {
        this.#watchers.set(name, changed);
        return () => this.#watchers.delete(name);
      },
      close: () => {
        this.closed += 1;
        return Promise.resolve();
      },
    };
  }

  /** Whoever else had it gives it back. */
  free(name: string): void {
    this.others.delete(name);
    this.#watchers.get(name)?.();
  }

  #look(name: string): Promise<StoreView> {
    this.looked.push(name);
    if (this.silent) return new Promise(() => undefined);
    const holder = this.others.get(name) ?? (this.ours.has(name) ? "us" : undefined);
    const view: StoreView = holder === undefined ? { kind: "free" } : { kind: "taken", holder };
    return Promise.resolve(this.failure ?? view);
  }

  #answer(kind: "acquire" | "renew", { name }: LeaseKey): Promise<LeaseAnswer> {
    this.asked.push(`${kind} ${name}`);
    if (this.silent) return new Promise(() => undefined);
    return Promise.resolve(this.failure ?? this.#decide(kind, name));
  }

  #decide(kind: "acquire" | "renew", name: string): LeaseAnswer {
    const other = this.others.get(name);
    const held = this.ours.get(name);
    if (other !== undefined) {
      this.ours.delete(name);
      return kind === "renew" ? { kind: "lost" } : { kind: "taken", holder: other };
    }
    if (held !== undefined) return { kind: "held", epoch: held };
    if (kind === "renew") return { kind: "lost" };
    this.#epoch += 1;
    const epoch = `e${this.#epoch}`;
    this.ours.set(name, epoch);
    return { kind: "held", epoch };
  }
}
