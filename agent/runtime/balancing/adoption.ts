import type { ProbeConfig, VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { DestinationKey, ServiceTable } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import type { Instant } from "../../core/time.ts";
import { after, milliseconds } from "../../core/time.ts";
import type { LeavingServer, PoolEvent } from "../../core/virtual-server/pool.ts";
import type { KeptServer } from "./balancing-store.ts";
import { serviceKeysOf } from "./service-targets.ts";

/** How a virtual server begins: from what the kernel has of it, and from what is kept of it. */
export function startOf(
  config: VirtualServerConfig,
  table: ServiceTable | undefined,
  kept: KeptServer | undefined,
  { now, wallMs }: { readonly now: Instant; readonly wallMs: number },
): Extract<PoolEvent, { readonly kind: "start" }> {
  const pool = poolOf(config, table);
  const presumed = pool === undefined ? {} : presumedOf(config, pool, kept);
  const leaving: Record<DestinationKey, LeavingServer> = {};
  for (const [key, { member, untilMs }] of Object.entries(kept?.leaving ?? {})) {
    const rest = milliseconds(Math.max(0, untilMs - wallMs));
    leaving[key as DestinationKey] = { member, until: after(now, rest) };
  }
  return {
    kind: "start",
    presumed,
    answered: pool === undefined ? {} : answeredOf(config, pool, presumed, kept),
    // What an earlier boot had told is nothing to go by.
    quorum: pool === undefined ? undefined : kept?.quorum,
    overrides: kept?.overrides ?? {},
    leaving,
  };
}

type Pool = ReadonlyMap<DestinationKey, number>;

/** Weights in the kernel's pool; `undefined`: it knows nothing of the service. */
function poolOf(config: VirtualServerConfig, table: ServiceTable | undefined): Pool | undefined {
  const entry = serviceKeysOf(config)
    .map((key) => table?.get(key))
    .find((found) => found !== undefined);
  return entry && new Map(entry.destinations.map((each) => [destinationKey(each), each.weight]));
}

/**
 * A server that is in the kernel's pool was up, and one with checks that is not was down: nothing changes
 * until they have looked. Where the pool looks the same either way, what is kept decides.
 */
function presumedOf(
  config: VirtualServerConfig,
  pool: Pool,
  kept: KeptServer | undefined,
): Readonly<Record<DestinationKey, boolean>> {
  const sorry = config.sorryServer !== undefined && kept?.quorum === false;
  const presumed: Record<DestinationKey, boolean> = {};
  for (const real of config.realServers) {
    const key = destinationKey(real);
    const weight = pool.get(key);
    const inPool = weight !== undefined && (weight > 0 || !real.inhibitOnFailure);
    const silent = sorry || weight === 0 || kept?.overrides[key]?.kind === "disable";
    presumed[key] = real.checks.length === 0 || inPool || (silent && kept?.up?.[key] !== undefined);
  }
  return presumed;
}

/** Of checks that say how much a server takes: what they last said is what the kernel has, or had. */
function answeredOf(
  config: VirtualServerConfig,
  pool: Pool,
  presumed: Readonly<Record<DestinationKey, boolean>>,
  kept: KeptServer | undefined,
): Readonly<Record<DestinationKey, readonly (number | undefined)[]>> {
  const answered: Record<DestinationKey, readonly (number | undefined)[]> = {};
  const sorry = config.sorryServer !== undefined && kept?.quorum === false;
  for (const real of config.realServers) {
    const key = destinationKey(real);
    if (presumed[key] !== true || kept?.overrides[key] !== undefined) continue;
    const weight = sorry ? kept.up?.[key] : (pool.get(key) ?? kept?.up?.[key]);
    answered[key] = real.checks.map(({ probe }) => (answersWeight(probe) ? weight : undefined));
  }
  return answered;
}

const answersWeight = (probe: ProbeConfig): boolean =>
  probe.kind === "policy" || (probe.kind === "misc" && probe.dynamic);
