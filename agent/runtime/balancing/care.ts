import type { DestinationKey, ServiceKey, ServiceTarget } from "../../core/ipvs/service.ts";
import type { Micros } from "../../core/time.ts";
import { seconds } from "../../core/time.ts";
import { KernelError } from "../../ports/error.ts";
import type { ServiceCounters } from "../../ports/ipvs.ts";
import type { Schedule } from "../schedule.ts";
import type { Counted } from "./connections.ts";
import { activeConnections, Connections } from "./connections.ts";
import type { KernelTable } from "./kernel-table.ts";
import type { BalancingPorts } from "./ports.ts";
import type { Served } from "./served.ts";
import { targetsOf } from "./service-targets.ts";
import { Upkeep } from "./upkeep.ts";

/** How often the kernel's table is looked at for what others did to it. */
const AUDIT = seconds(10);
/** With this many real servers a look takes its time. */
const MANY = 2_000;
const MANY_AUDIT = seconds(60);
const LEAVING = seconds(1);
const ADDRESSES = seconds(1);

/** Whom it is for. */
export interface Cared {
  readonly all: () => readonly Served[];
  /** The kernel's table was looked at. */
  readonly audited: () => void;
}

/** What is looked at again and again, beside the checks: the table, who leaves, this host's addresses. */
export class Care {
  readonly #hostAddresses: BalancingPorts["hostAddresses"];
  readonly #table: KernelTable;
  readonly #cared: Cared;
  readonly #counts = new Connections();
  readonly #audit: Upkeep;
  readonly #leaving: Upkeep;
  readonly #addresses: Upkeep;

  constructor(
    schedule: Schedule,
    { clock, hostAddresses }: BalancingPorts,
    table: KernelTable,
    cared: Cared,
  ) {
    this.#hostAddresses = hostAddresses;
    this.#table = table;
    this.#cared = cared;
    const upkeep = (interval: () => Micros | undefined, work: () => void | Promise<void>): Upkeep =>
      new Upkeep(clock, schedule, interval, work);
    this.#audit = upkeep(
      () => this.#auditInterval(),
      () => this.look(),
    );
    this.#leaving = upkeep(
      () => (this.#leavers().length > 0 ? LEAVING : undefined),
      () => this.#watchLeavers(),
    );
    this.#addresses = upkeep(
      () => (this.#suspensible().length > 0 ? ADDRESSES : undefined),
      () => this.addressesMoved(),
    );
  }

  /** Connections of a real server in these services, as they were counted last. */
  readonly connections = (
    services: readonly ServiceKey[],
    server: DestinationKey,
  ): Counted | undefined => this.#counts.of(services, server);

  /** All that the kernel counted of a service, as it was counted last. */
  readonly traffic = (service: ServiceKey): ServiceCounters | undefined =>
    this.#counts.traffic(service);

  /** Connections of these services, now. */
  async count(services: readonly ServiceTarget[]): Promise<void> {
    const picture = await this.#table.ipvs?.read(services);
    if (picture !== undefined && !(picture instanceof KernelError)) this.#counts.add(picture);
  }

  /** There may be something new to look after. */
  arm(): void {
    this.#audit.arm();
    this.#leaving.arm();
    this.#addresses.arm();
    if (this.#suspensible().length > 0) this.addressesMoved();
  }

  /** ha_suspend: checks stand still where the address is not on this host. */
  addressesMoved(): void {
    const all = this.#suspensible();
    if (all.length === 0) return;
    const here = this.#hostAddresses();
    for (const served of all) {
      const addresses = served.config.targets.flatMap((target) =>
        target.kind === "address" ? [target.address] : [],
      );
      // What is marked by a packet filter has no address that could be missing.
      served.suspend(addresses.length > 0 && !addresses.some((address) => here.has(address)));
    }
  }

  /** The kernel's table and its counters, now. */
  async look(): Promise<void> {
    const picture = await this.#table.audit();
    if (picture !== undefined) this.#counts.take(picture);
    this.#cared.audited();
  }

  close(): void {
    this.#audit.close();
    this.#leaving.close();
    this.#addresses.close();
  }

  #auditInterval(): Micros | undefined {
    const all = this.#cared.all();
    if (all.length === 0) return undefined;
    let servers = 0;
    for (const { config } of all) servers += config.realServers.length * config.targets.length;
    return servers > MANY ? MANY_AUDIT : AUDIT;
  }

  async #watchLeavers(): Promise<void> {
    const { ipvs } = this.#table;
    if (ipvs === undefined) return;
    for (const served of this.#leavers()) {
      const active = await activeConnections(ipvs, targetsOf(served.config));
      if (active !== undefined) served.take({ kind: "connections", active });
    }
  }

  #leavers(): readonly Served[] {
    return this.#cared.all().filter(({ state }) => Object.keys(state.leaving).length > 0);
  }

  #suspensible(): readonly Served[] {
    return this.#cared.all().filter(({ config }) => config.haSuspend);
  }
}
