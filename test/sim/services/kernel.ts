import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import type {
  Destination,
  ServiceKey,
  ServiceTable,
  ServiceTarget,
} from "../../../agent/core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../../agent/core/ipvs/service.ts";
import { FakeIpvs } from "../../ipvs/fake-ipvs.ts";

export const targetOf = (command: IpvsCommand): ServiceTarget =>
  "service" in command ? command.service.target : command.target;

/** ip_vs with the connections that flow through it, and what somebody else has there. */
export class Kernel {
  readonly ip = new FakeIpvs();
  /** Services of somebody else. */
  readonly theirs = new Set<ServiceKey>();
  #table: ServiceTable | undefined;
  /** Active connections, by service and destination. */
  readonly #connections = new Map<string, number>();

  get table(): ServiceTable {
    this.#table ??= this.ip.table;
    return this.#table;
  }

  /** 0 where it has none, or is not there. */
  connections(service: ServiceKey, destination: string): number {
    return this.#connections.get(`${service} ${destination}`) ?? 0;
  }

  /** Clients come to whoever takes new connections, or leave whoever has some. */
  flow(target: ServiceTarget, destination: Destination, active: number): void {
    this.ip.traffic(target, destination, { activeConnections: active });
    this.#connections.set(`${serviceKey(target)} ${destinationKey(destination)}`, active);
  }

  /** Of the services that are not somebody else's. */
  get ours(): readonly ServiceKey[] {
    return [...this.table.keys()].filter((key) => !this.theirs.has(key));
  }

  weight(service: ServiceKey, destination: string): number | undefined {
    const found = this.table.get(service)?.destinations;
    return found?.find((one) => destinationKey(one) === destination)?.weight;
  }

  /** Answers the errno. Connections through what is removed are cut. */
  carryOut(command: IpvsCommand): string | undefined {
    const errno = this.ip.carryOut(command);
    if (errno !== undefined) return errno;
    this.#table = undefined;
    const service = serviceKey(targetOf(command));
    if (command.kind === "delete-destination") {
      this.#connections.delete(`${service} ${destinationKey(command.destination)}`);
    } else if (command.kind === "delete-service") {
      for (const name of [...this.#connections.keys()]) {
        if (name.startsWith(`${service} `)) this.#connections.delete(name);
      }
    }
    return undefined;
  }
}
