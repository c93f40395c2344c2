import type { PolicyReading } from "./part.ts";

type Listener = (reading: PolicyReading | undefined) => void;

/** Nobody can know yet whether there is such a check. */
const LOADING: PolicyReading = {
  verdict: "unknown",
  value: 0,
  reason: "policies are being loaded",
};

/** The verdicts of policies' checks, and who wants to hear of them. */
export class PolicyVerdicts {
  readonly #verdicts = new Map<string, PolicyReading>();
  readonly #listeners = new Map<string, Set<Listener>>();
  #loaded = false;

  set(policy: string, check: string, reading: PolicyReading | undefined): void {
    const key = keyOf(policy, check);
    if (reading === undefined) this.#verdicts.delete(key);
    else this.#verdicts.set(key, reading);
    for (const listener of this.#listeners.get(key) ?? []) listener(this.#current(key));
  }

  /** What has no verdict now has none: policies were loaded. */
  loaded(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    for (const [key, listeners] of this.#listeners) {
      if (this.#verdicts.has(key)) continue;
      for (const listener of listeners) listener(undefined);
    }
  }

  listen(policy: string, check: string, listener: Listener): () => void {
    const key = keyOf(policy, check);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    // Twice the same function are two who listen.
    const own: Listener = (reading) => listener(reading);
    listeners.add(own);
    listener(this.#current(key));
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners)
        this.#listeners.delete(key);
    };
  }

  #current(key: string): PolicyReading | undefined {
    return this.#verdicts.get(key) ?? (this.#loaded ? undefined : LOADING);
  }
}

const keyOf = (policy: string, check: string): string => `${policy}/${check}`;
