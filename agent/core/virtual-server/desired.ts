import { familyOf } from "../address.ts";
import type { Destination, DestinationKey, ServiceEntry, ServiceTarget } from "../ipvs/service.ts";
import { destinationKey, familyOfService } from "../ipvs/service.ts";
import type { PoolConfig, PoolMember, PoolState, RealServer, ServerState } from "./pool.ts";
import { takesPart } from "./settle.ts";
import { presentWeight } from "./weight.ts";

/** What the kernel is to have of a virtual server: a service for each of its targets. */
export function desired(config: PoolConfig, state: PoolState): readonly ServiceEntry[] {
  const pool = destinationsOf(config, state);
  const { protocol, scheduler, schedulerFlags, onePacket, persistence } = config;
  return config.targets.map((one): ServiceEntry => {
    const target: ServiceTarget = one.kind === "address" ? { ...one, protocol } : one;
    const service = { target, scheduler, schedulerFlags, onePacket, persistence };
    const family = familyOfService(target);
    // The kernel reaches the other family through tunnels only.
    const fits = pool.every(({ address }) => familyOf(address) === family)
      ? pool
      : pool.filter(
          ({ address, forwarding: { kind } }) => kind === "tunnel" || familyOf(address) === family,
        );
    return { service, destinations: fits };
  });
}

/**
 * As keepalived: without quorum the sorry server stands in the place of all others, and of those with
 * inhibit_on_failure only their weight goes.
 */
function destinationsOf(config: PoolConfig, state: PoolState): readonly Destination[] {
  const { sorryServer, sorryServerInhibit } = config;
  const sorry = sorryServer !== undefined && !state.quorum;
  const pool = new Map<DestinationKey, Destination>();
  for (const [key, { member }] of Object.entries(state.leaving)) {
    pool.set(key as DestinationKey, destination(member, 0));
  }
  for (const real of config.realServers) {
    const key = destinationKey(real);
    const server = state.servers[key];
    if (server === undefined) continue;
    const weight = weightInPool(real, server, sorry);
    if (weight !== undefined) pool.set(key, destination(real, weight, real));
  }
  if (sorryServer !== undefined && (sorry || sorryServerInhibit)) {
    const key = destinationKey(sorryServer);
    if (sorry) pool.set(key, destination(sorryServer, 1));
    else if (!pool.has(key)) pool.set(key, destination(sorryServer, 0));
  }
  return [...pool.values()];
}

/** Whether the kernel is to have it: there may be connections of it. */
export function isInPool(config: PoolConfig, state: PoolState, real: RealServer): boolean {
  const server = state.servers[destinationKey(real)];
  const sorry = config.sorryServer !== undefined && !state.quorum;
  return server !== undefined && weightInPool(real, server, sorry) !== undefined;
}

/** `undefined`: it is not in the pool. */
function weightInPool(real: RealServer, server: ServerState, sorry: boolean): number | undefined {
  const { kind } = server.override ?? {};
  if (kind === "disable") return undefined;
  if (takesPart(server)) {
    if (!sorry) return presentWeight(server);
    // It has nothing to lose but its connections.
    return kind === "drain" || real.inhibitOnFailure ? 0 : undefined;
  }
  return real.inhibitOnFailure ? 0 : undefined;
}

const destination = (
  { address, port, forwarding }: PoolMember,
  weight: number,
  limits?: Pick<RealServer, "upperThreshold" | "lowerThreshold">,
): Destination => ({
  address,
  port,
  forwarding,
  weight,
  upperThreshold: limits?.upperThreshold ?? 0,
  lowerThreshold: limits?.lowerThreshold ?? 0,
});
