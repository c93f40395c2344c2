import type { AgentEvent } from "../control/protocol.ts";
import type { EventReport } from "./ipc.ts";

/** The last events of this run, numbered without gaps, for whoever follows them. */
export class EventLog {
  readonly #capacity: number;
  readonly #events: AgentEvent[] = [];
  readonly #listeners = new Set<(event: AgentEvent) => void>();
  #sequence = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  append({ at, kind, subject, message, detail }: EventReport): AgentEvent {
    this.#sequence += 1;
    const event: AgentEvent = { sequence: this.#sequence, at, kind, subject, message, detail };
    this.#events.push(event);
    // Cut in large pieces: shifting one by one costs the whole list each time.
    if (this.#events.length >= 2 * this.#capacity) this.#events.splice(0, this.#capacity);
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  /** Oldest first. */
  recent(): readonly AgentEvent[] {
    return this.#events.slice(-this.#capacity);
  }

  subscribe(listener: (event: AgentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
