import type { InstanceConfig } from "../config/config.ts";
import type { Fault } from "../core/vrrp/fault.ts";
import { OWNER_PRIORITY } from "../core/vrrp/virtual-router.ts";
import type { AcceptFilter, RefusedAddress } from "../ports/accept-filter.ts";
import type { Clock } from "../ports/clock.ts";
import type { FilterEvent } from "../ports/filter-event.ts";
import type { AddressRequest } from "../ports/network.ts";
import type { AddressHolding } from "./holding.ts";
import type { Guard } from "./holdings.ts";
import type { LogLevel } from "./ipc.ts";
import { KernelAbility } from "./kernel-ability.ts";
import type { Router } from "./router.ts";
import type { Schedule } from "./schedule.ts";

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
  readonly ofOthers = true;
  readonly #filter: AcceptFilter;
  readonly #listener: AcceptanceListener;
  readonly #ability: KernelAbility;
  readonly #unsubscribe: () => void;

  constructor(
    filter: AcceptFilter,
    clock: Clock,
    schedule: Schedule,
    listener: AcceptanceListener,
  ) {
    this.#filter = filter;
    this.#listener = listener;
    this.#ability = new KernelAbility({
      clock,
      schedule,
      probe: () => filter.probe(),
      failed: ({ message, remedy }) => listener.tell("error", `${message}; ${remedy}`),
      changed: (what) => {
        if (what === "problem") listener.changed();
      },
    });
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
      if (this.#ability.problem !== undefined) this.#ability.set(undefined, false);
      return;
    }
    if (this.#ability.proven) return;
    const problem = await this.#filter.probe();
    if (problem !== undefined && old !== undefined && !old.some(refusesPackets)) throw problem;
    this.#ability.set(problem);
  }

  faultsOf({ config }: Router): readonly Fault[] {
    if (this.#ability.problem === undefined || !refusesPackets(config)) return [];
    return [{ cause: "packet-filter", subject: "nf_tables" }];
  }

  guards({ refuse }: AddressHolding): boolean {
    return refuse;
  }

  async before(requests: readonly AddressRequest[]) {
    const problem = await this.#filter.refuse(requests.map(refusedAddress));
    if (problem === undefined) return undefined;
    this.#ability.set(problem);
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
    this.#ability.close();
  }

  #hear(event: FilterEvent): void {
    if (event.kind === "lost") this.#ability.set(event.error);
    else {
      this.#listener.tell(
        "warn",
        "somebody removed rules that refuse packets to addresses (nft flush ruleset?): put back",
      );
    }
  }
}

const refusedAddress = ({ interfaceIndex, address }: AddressRequest): RefusedAddress => ({
  interfaceIndex,
  address: address.address,
});
