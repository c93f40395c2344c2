import type { InstanceConfig } from "../config/config.ts";
import { after, seconds } from "../core/time.ts";
import type { Fault } from "../core/vrrp/fault.ts";
import { OWNER_PRIORITY } from "../core/vrrp/virtual-router.ts";
import type { AcceptFilter, AcceptFilterEvent, RefusedAddress } from "../ports/accept-filter.ts";
import type { Clock } from "../ports/clock.ts";
import type { KernelError } from "../ports/error.ts";
import type { AddressRequest } from "../ports/network.ts";
import type { AddressHolding } from "./holding.ts";
import type { Guard } from "./holdings.ts";
import type { LogLevel } from "./ipc.ts";
import type { Router } from "./router.ts";
import type { Schedule, Slot } from "./schedule.ts";

/** Between two tries of a kernel that could not refuse packets. */
const RETRY = seconds(5);

export interface AcceptanceListener {
  /** The faults of routers are others than before. */
  changed(): void;
  tell(level: LogLevel, message: string): void;
}

/** Accept_Mode is false, and counts: who owns the addresses always accepts. RFC 9568 §6.1, §6.4.3. */
export const refusesPackets = ({ accept, router }: InstanceConfig): boolean =>
  !accept && router.priority !== OWNER_PRIORITY;

/**
 * Refuses packets to the addresses of routers that do not accept them. Where the kernel cannot, such a
 * router is in fault: it was asked for, and having the address would mean to accept.
 */
export class Acceptance implements Guard {
  readonly #filter: AcceptFilter;
  readonly #clock: Clock;
  readonly #listener: AcceptanceListener;
  readonly #retry: Slot;
  readonly #unsubscribe: () => void;
  #problem: KernelError | undefined;
  /** The kernel has shown that it can. */
  #proven = false;

  constructor(
    filter: AcceptFilter,
    clock: Clock,
    schedule: Schedule,
    listener: AcceptanceListener,
  ) {
    this.#filter = filter;
    this.#clock = clock;
    this.#listener = listener;
    this.#retry = schedule.slot(() => void this.#probe());
    this.#unsubscribe = filter.subscribe((event) => this.#hear(event));
  }

  /**
   * Tries the kernel where one of the instances refuses packets. Throws a KernelError when none did
   * before: then that reload had better not happen. At a start the fault is theirs alone.
   */
  async prepare(
    old: readonly InstanceConfig[] | undefined,
    fresh: readonly InstanceConfig[],
  ): Promise<void> {
    if (!fresh.some(refusesPackets)) {
      // Nobody asks: what was proven is as good as before.
      if (this.#problem !== undefined) this.#set(undefined, false);
      return;
    }
    if (this.#proven) return;
    const problem = await this.#filter.probe();
    if (problem !== undefined && old !== undefined && !old.some(refusesPackets)) throw problem;
    this.#set(problem);
  }

  faultsOf({ config }: Router): readonly Fault[] {
    if (this.#problem === undefined || !refusesPackets(config)) return [];
    return [{ cause: "packet-filter", subject: "nf_tables" }];
  }

  guards({ refuse }: AddressHolding): boolean {
    return refuse;
  }

  async before(requests: readonly AddressRequest[]) {
    const problem = await this.#filter.refuse(requests.map(refusedAddress));
    if (problem === undefined) return undefined;
    this.#set(problem);
    const message = `${problem.message}; ${problem.remedy}`;
    return { ok: false, errno: problem.code, message } as const;
  }

  release(request: AddressRequest): void {
    void this.#filter.release([refusedAddress(request)]).then((problem) => {
      if (problem === undefined) return;
      const { address } = request.address;
      this.#listener.tell("warn", `packets to ${address} are still refused: ${problem.code}`);
    });
  }

  close(): void {
    this.#unsubscribe();
    this.#retry.set(undefined);
  }

  #hear(event: AcceptFilterEvent): void {
    if (event.kind === "lost") this.#set(event.error);
    else {
      this.#listener.tell(
        "warn",
        "somebody removed rules that refuse packets to addresses (nft flush ruleset?): put back",
      );
    }
  }

  async #probe(): Promise<void> {
    this.#set(await this.#filter.probe());
  }

  #set(problem: KernelError | undefined, proven = problem === undefined): void {
    const before = this.#problem;
    this.#problem = problem;
    this.#proven = proven;
    this.#retry.set(problem === undefined ? undefined : after(this.#clock.now(), RETRY));
    if (problem !== undefined && problem.code !== before?.code) {
      this.#listener.tell("error", `${problem.message}; ${problem.remedy}`);
    }
    if ((problem === undefined) !== (before === undefined)) this.#listener.changed();
  }
}

const refusedAddress = ({ interfaceIndex, address }: AddressRequest): RefusedAddress => ({
  interfaceIndex,
  address: address.address,
});
