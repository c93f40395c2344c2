import { inTurns } from "./in-turns.ts";

/** Things to look at once more, each once: from the end of the turn on, a few in each. */
export class Touched<Item> {
  readonly #look: (item: Item) => void;
  readonly #items = new Set<Item>();

  constructor(look: (item: Item) => void) {
    this.#look = look;
  }

  add(item: Item): void {
    if (this.#items.size === 0) queueMicrotask(() => this.#lookAtAll());
    this.#items.add(item);
  }

  #lookAtAll(): void {
    const items = [...this.#items];
    this.#items.clear();
    void inTurns(items, this.#look);
  }
}
