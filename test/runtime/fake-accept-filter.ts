import type { AcceptFilter, RefusedAddress } from "../../agent/ports/accept-filter.ts";
import type { KernelError } from "../../agent/ports/error.ts";
import type { FilterEvent } from "../../agent/ports/filter-event.ts";

/** A packet filter in memory. */
export class FakeAcceptFilter implements AcceptFilter {
  readonly #refused = new Set<string>();
  readonly #listeners = new Set<(event: FilterEvent) => void>();
  /** What the kernel says to every wish but a release. */
  problem: KernelError | undefined;
  probes = 0;
  closed = false;
  /** Asked to remove what an earlier run left, so often. */
  cleared = 0;
  leftovers = false;

  get refused(): readonly string[] {
    return [...this.#refused].sort();
  }

  probe(): Promise<KernelError | undefined> {
    this.probes += 1;
    return Promise.resolve(this.problem);
  }

  refuse(addresses: readonly RefusedAddress[]): Promise<KernelError | undefined> {
    if (this.problem === undefined) for (const { address } of addresses) this.#refused.add(address);
    return Promise.resolve(this.problem);
  }

  release(addresses: readonly RefusedAddress[]): Promise<KernelError | undefined> {
    for (const { address } of addresses) this.#refused.delete(address);
    return Promise.resolve(undefined);
  }

  subscribe(listener: (event: FilterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: FilterEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  removeLeftovers(): Promise<boolean> {
    this.cleared += 1;
    return Promise.resolve(this.leftovers);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
