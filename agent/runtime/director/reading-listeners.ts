import type { Reading, TrackerId } from "../../core/track/tracking.ts";

type Listener = (reading: Reading | undefined) => void;

/** Who within the director goes by what trackers find. */
export class ReadingListeners {
  readonly #listeners = new Map<TrackerId, Set<Listener>>();

  /** Until the answer is called. */
  add(tracker: TrackerId, listener: Listener): () => void {
    const listeners = this.#listeners.get(tracker) ?? new Set();
    this.#listeners.set(tracker, listeners);
    // Twice the same function are two who listen.
    const own: Listener = (reading) => listener(reading);
    listeners.add(own);
    return () => {
      listeners.delete(own);
      if (listeners.size === 0) this.#listeners.delete(tracker);
    };
  }

  tell(tracker: TrackerId, reading: Reading | undefined): void {
    for (const listener of this.#listeners.get(tracker) ?? []) listener(reading);
  }
}
