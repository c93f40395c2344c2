import type { AddressRequest } from "../ports/network.ts";
import type { Item } from "./holding-item.ts";

/** Addresses that owners have given up, and that the host does not let go of. */
export class LeftBehind {
  readonly #items = new Map<string, Set<Item>>();
  readonly #waiting = new Map<string, (() => void)[]>();

  note(owner: string, item: Item): void {
    if (item.wanted.kind !== "address") return;
    const items = this.#items.get(owner) ?? new Set();
    this.#items.set(owner, items.add(item));
  }

  /** It is not there any more, or somebody wants it. */
  forget(item: Item): void {
    for (const [owner, items] of this.#items) {
      if (!items.delete(item) || items.size > 0) continue;
      this.#items.delete(owner);
      const waiting = this.#waiting.get(owner) ?? [];
      this.#waiting.delete(owner);
      for (const done of waiting) done();
    }
  }

  /** What this owner has left. */
  of(owner: string): readonly AddressRequest[] {
    return [...(this.#items.get(owner) ?? [])].flatMap(({ actual, wanted }) => {
      const holding = actual ?? wanted;
      return holding.kind === "address" ? [holding.request] : [];
    });
  }

  get any(): boolean {
    return this.#items.size > 0;
  }

  /** Calls `done` when this owner has left nothing: perhaps at once. */
  whenNone(owner: string, done: () => void): void {
    if (!this.#items.has(owner)) done();
    else this.#waiting.set(owner, [...(this.#waiting.get(owner) ?? []), done]);
  }
}
