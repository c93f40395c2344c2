import type { Micros } from "../../agent/core/time.ts";
import { since } from "../../agent/core/time.ts";
import type { KernelError } from "../../agent/ports/error.ts";
import type { FilterEvent } from "../../agent/ports/filter-event.ts";
import type { Gate, GatedAddress, Opening, OpeningOutcome } from "../../agent/ports/gate.ts";
import type { HolderAnswer, HolderProbes } from "../../agent/ports/holder-probes.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** A gate in memory, which shuts by itself as the kernel's does. */
export class FakeGate implements Gate {
  readonly #time: VirtualTime;
  readonly #until = new Map<string, number>();
  readonly #guarded = new Set<string>();
  readonly #listeners = new Set<(event: FilterEvent) => void>();
  /** What the kernel says to every wish but a release. */
  problem: KernelError | undefined;
  /** The kernel learns of the next openings this late, microseconds. */
  delay = 0;
  /** Every transaction, as text. */
  readonly asked: string[] = [];
  /** How long the rules of each guarding outlive the process. */
  readonly keeps: Micros[] = [];
  /** Whose frames pass a shut gate. */
  passing: readonly string[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** Addresses behind the gate. */
  get guarded(): readonly string[] {
    return [...this.#guarded].sort();
  }

  isOpen(address: string): boolean {
    return !this.#guarded.has(address) || this.#time.clock.now() < (this.#until.get(address) ?? 0);
  }

  probe(): Promise<KernelError | undefined> {
    return Promise.resolve(this.problem);
  }

  guard(addresses: readonly GatedAddress[], keep: Micros): Promise<KernelError | undefined> {
    this.keeps.push(keep);
    this.asked.push(`guard ${texts(addresses)}`);
    if (this.problem === undefined) for (const { address } of addresses) this.#guarded.add(address);
    return Promise.resolve(this.problem);
  }

  open(openings: readonly Opening[]): Promise<readonly OpeningOutcome[]> {
    this.asked.push(`open ${openings.map(({ addresses }) => texts(addresses)).join(" | ")}`);
    return Promise.resolve(openings.map((opening) => this.#openOne(opening)));
  }

  shut(addresses: readonly GatedAddress[]): Promise<KernelError | undefined> {
    this.asked.push(`shut ${texts(addresses)}`);
    for (const { address } of addresses) this.#until.delete(address);
    return Promise.resolve(this.problem);
  }

  release(addresses: readonly GatedAddress[]): Promise<KernelError | undefined> {
    for (const { address } of addresses) {
      this.#until.delete(address);
      this.#guarded.delete(address);
    }
    return Promise.resolve(undefined);
  }

  passFrom(macs: readonly string[]): Promise<KernelError | undefined> {
    if (this.problem === undefined) this.passing = macs;
    return Promise.resolve(this.problem);
  }

  subscribe(listener: (event: FilterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: FilterEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #openOne({ addresses, deadline, margin }: Opening): OpeningOutcome {
    if (this.problem !== undefined) return this.problem;
    const late = this.delay > margin || since(this.#time.clock.now(), deadline) <= 0;
    for (const { address } of addresses) this.#until.set(address, late ? 0 : deadline);
    this.delay = 0;
    return late ? "late" : "open";
  }
}

const texts = (addresses: readonly GatedAddress[]): string =>
  addresses.map(({ address }) => address).join(" ");

/** Who else has addresses on the segment. */
export class FakeHolders implements HolderProbes {
  readonly held = new Set<string>();
  readonly asked: string[] = [];

  ask(_: number, address: string): Promise<HolderAnswer> {
    this.asked.push(address);
    return Promise.resolve(
      this.held.has(address) ? { kind: "answered", mac: "02:00:00:00:00:09" } : { kind: "silent" },
    );
  }

  close(): void {
    this.held.clear();
  }
}
