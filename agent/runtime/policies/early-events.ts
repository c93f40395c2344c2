import type { HookCall } from "./hook-queue.ts";
import { MOST_WAITING } from "./hook-queue.ts";

/** What happened while a policy's first version was loaded at the director's start. */
export class EarlyEvents {
  #calls: HookCall[] | undefined;

  /** @param wanted the director is starting: a policy that comes later hears of what comes later. */
  constructor(wanted: boolean) {
    this.#calls = wanted ? [] : undefined;
  }

  add(call: HookCall): void {
    if (this.#calls !== undefined && this.#calls.length < MOST_WAITING) this.#calls.push(call);
  }

  /** The loading is over, well or not. */
  end(): readonly HookCall[] {
    const calls = this.#calls ?? [];
    this.#calls = undefined;
    return calls;
  }
}
