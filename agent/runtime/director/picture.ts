import type { BoardEntry } from "../../core/track/board.ts";
import type { Completeness } from "../ipc.ts";
import { parts } from "../ipc.ts";

/**
 * All that the director has to say of one kind, and what of it the vrrp process has not heard yet.
 * Changes of one turn of the event loop travel together, the last one of each thing.
 */
export class Picture<Value> {
  readonly #send: (complete: Completeness, entries: readonly BoardEntry<Value>[]) => void;
  readonly #values = new Map<string, Value>();
  readonly #changed = new Set<string>();
  /** The whole picture was painted once, and somebody looks at it. */
  #painted = false;
  #wanted = false;
  #flushing = false;

  constructor(send: (complete: Completeness, entries: readonly BoardEntry<Value>[]) => void) {
    this.#send = send;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#values.set(key, value);
    this.#change(key);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#change(key);
  }

  /** All is there that there is to say for now. */
  painted(): void {
    if (this.#painted) return;
    this.#painted = true;
    if (this.#wanted) this.#sendAll();
  }

  /** Somebody looks who has seen nothing of it yet. */
  wanted(): void {
    this.#wanted = true;
    if (this.#painted) this.#sendAll();
  }

  #change(key: string): void {
    if (!this.#painted || !this.#wanted) return;
    this.#changed.add(key);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      for (const keys of parts([...this.#changed])) {
        this.#send(
          "no",
          keys.map((one) => this.#entry(one)),
        );
      }
      this.#changed.clear();
    });
  }

  #sendAll(): void {
    this.#changed.clear();
    for (const keys of parts([...this.#values.keys()])) {
      this.#send(
        "part",
        keys.map((key) => this.#entry(key)),
      );
    }
    this.#send("last", []);
  }

  #entry(key: string): BoardEntry<Value> {
    const value = this.#values.get(key);
    return value === undefined ? { key } : { key, value };
  }
}
