import type { IpAddress } from "../../core/address.ts";
import { inPrefix } from "../../core/address.ts";
import type { Micros } from "../../core/time.ts";
import { after, milliseconds, seconds } from "../../core/time.ts";
import type { Clock } from "../../ports/clock.ts";
import type { KernelError } from "../../ports/error.ts";
import type { Gate } from "../../ports/gate.ts";
import type { HolderProbes } from "../../ports/holder-probes.ts";
import type { AddressRequest, Network } from "../../ports/network.ts";
import type { AddressHolding } from "../holding.ts";
import { configuredKey } from "../holding.ts";
import type { Guard } from "../holdings.ts";
import type { Schedule, Slot } from "../schedule.ts";

/** Another node that may direct traffic to this one. */
export interface PossibleDirector {
  readonly address: IpAddress;
  /** Where it was heard; `undefined`: on whatever network its address belongs to. */
  readonly interfaceIndex: number | undefined;
}

/** What it needs, and whom it tells. */
export interface DirectorMacsParts {
  readonly gate: Gate;
  readonly probes: HolderProbes;
  readonly network: Network;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly others: () => readonly PossibleDirector[];
  readonly refused: (error: KernelError) => void;
}

/** A take-over has other things to do first. */
const FIRST: Micros = seconds(1);
/** How often the segment is asked: machines are replaced, and addresses move. */
const AGAIN: Micros = seconds(10);
const ANSWER_LIMIT: Micros = milliseconds(100);
/** More than this direct no traffic. */
const MOST = 64;

/**
 * Lets the frames of other directors pass a shut gate, where this host is a real server of theirs as
 * well: an address that is behind the gate on one interface and was put on another by somebody else
 * (`lo`). It has to know them ahead, as the kernel shuts the gate of a process that knows nothing any
 * more. Whoever holds the address itself sends to it here only as a director; on other hosts nothing
 * passes.
 */
export class DirectorMacs implements Guard {
  readonly ofOthers = false;
  readonly #parts: DirectorMacsParts;
  readonly #guarded = new Map<string, AddressRequest>();
  readonly #slot: Slot;
  #known: ReadonlyMap<IpAddress, string> = new Map();
  /** What the gate was told. */
  #passing = "";

  constructor(parts: DirectorMacsParts) {
    this.#parts = parts;
    this.#slot = parts.schedule.slot(() => void this.#look());
  }

  guards({ gated }: AddressHolding): boolean {
    return gated;
  }

  before(requests: readonly AddressRequest[]) {
    for (const request of requests) this.#guarded.set(keyOf(request), request);
    this.#slot.set(after(this.#parts.clock.now(), FIRST));
    return Promise.resolve(undefined);
  }

  release(request: AddressRequest): void {
    this.#guarded.delete(keyOf(request));
  }

  close(): void {
    this.#guarded.clear();
    this.#slot.set(undefined);
  }

  async #look(): Promise<void> {
    const known = this.#isRealServer() ? await this.#ask() : new Map<IpAddress, string>();
    this.#known = known;
    const macs = [...new Set(known.values())].sort();
    if (macs.join() !== this.#passing) {
      const error = await this.#parts.gate.passFrom(macs);
      if (error === undefined) this.#passing = macs.join();
      else this.#parts.refused(error);
    }
    if (this.#guarded.size > 0) this.#slot.set(after(this.#parts.clock.now(), AGAIN));
  }

  /** Somebody else put one of the addresses on another interface. */
  #isRealServer(): boolean {
    const { network } = this.#parts;
    const places = new Map<IpAddress, number[]>();
    for (const index of network.links().keys()) {
      for (const { address, ours } of network.addresses(index)) {
        if (!ours) places.set(address, [...(places.get(address) ?? []), index]);
      }
    }
    return [...this.#guarded.values()].some(({ interfaceIndex, address }) =>
      places.get(address.address)?.some((index) => index !== interfaceIndex),
    );
  }

  /** One that does not answer now keeps the MAC it had: it may be about to come back. */
  async #ask(): Promise<ReadonlyMap<IpAddress, string>> {
    const { probes, others } = this.#parts;
    const answers = await Promise.all(
      others()
        .slice(0, MOST)
        .map(async ({ address, interfaceIndex = this.#networkOf(address) }) => {
          const mac = this.#known.get(address);
          if (interfaceIndex === undefined) return [address, mac] as const;
          const answer = await probes.ask(interfaceIndex, address, ANSWER_LIMIT);
          return [address, answer.kind === "answered" ? answer.mac : mac] as const;
        }),
    );
    return new Map(
      answers.flatMap(([address, mac]) => (mac === undefined ? [] : [[address, mac]])),
    );
  }

  #networkOf(other: IpAddress): number | undefined {
    const { network } = this.#parts;
    for (const [index, { arp }] of network.links()) {
      if (!arp) continue;
      for (const { address, prefixLength } of network.addresses(index)) {
        if (inPrefix(other, { address, length: prefixLength })) return index;
      }
    }
    return undefined;
  }
}

const keyOf = ({ interfaceIndex, address }: AddressRequest): string =>
  configuredKey(interfaceIndex, address);
