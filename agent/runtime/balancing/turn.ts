/** Work that many ask for within one turn of the event loop, and that is done once after it. */
export class Turn<Item> {
  readonly #work: (items: readonly Item[]) => void;
  readonly #items = new Set<Item>();

  constructor(work: (items: readonly Item[]) => void) {
    this.#work = work;
  }

  add(item: Item): void {
    this.#items.add(item);
    if (this.#items.size > 1) return;
    setImmediate(() => this.flush());
  }

  flush(): void {
    const items = [...this.#items];
    this.#items.clear();
    if (items.length > 0) this.#work(items);
  }
}
