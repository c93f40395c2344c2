import type { DestinationKey, ServiceKey, ServiceTarget } from "../../core/ipvs/service.ts";
import { serviceKey } from "../../core/ipvs/service.ts";
import { KernelError } from "../../ports/error.ts";
import type { Ipvs, IpvsPicture, ServiceCounters } from "../../ports/ipvs.ts";

export interface Counted {
  readonly active: number;
  readonly inactive: number;
}

/** Connections by service and real server, as they were counted last. */
export class Connections {
  #counters = new Map<ServiceKey, ServiceCounters>();

  take({ counters }: IpvsPicture): void {
    this.#counters = new Map(counters);
  }

  /** Of some services only. */
  add({ counters }: IpvsPicture): void {
    for (const [service, counted] of counters) this.#counters.set(service, counted);
  }

  /** All that is counted of a service. */
  traffic = (service: ServiceKey): ServiceCounters | undefined => this.#counters.get(service);

  /** Over all of these services; `undefined`: nobody has counted. */
  of = (services: readonly ServiceKey[], server: DestinationKey): Counted | undefined => {
    let counted: Counted | undefined;
    for (const service of services) {
      const found = this.#counters.get(service)?.destinations.get(server);
      if (found === undefined) continue;
      counted = {
        active: (counted?.active ?? 0) + found.activeConnections,
        inactive: (counted?.inactive ?? 0) + found.inactiveConnections,
      };
    }
    return counted;
  };
}

/** Active connections of each real server over these services; `undefined`: the kernel does not say. */
export async function activeConnections(
  ipvs: Ipvs,
  targets: readonly ServiceTarget[],
): Promise<Readonly<Record<DestinationKey, number>> | undefined> {
  const picture = await ipvs.read(targets);
  if (picture instanceof KernelError) return undefined;
  const active: Record<DestinationKey, number> = {};
  for (const target of targets) {
    const counters = picture.counters.get(serviceKey(target));
    for (const [key, { activeConnections: now }] of counters?.destinations ?? []) {
      active[key] = (active[key] ?? 0) + now;
    }
  }
  return active;
}
