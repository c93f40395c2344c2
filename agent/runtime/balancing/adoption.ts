import type { VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { DestinationKey, ServiceTable, ServiceTarget } from "../../core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../core/ipvs/service.ts";
import type { Instant } from "../../core/time.ts";
import { after, milliseconds } from "../../core/time.ts";
import type { LeavingServer, PoolEvent } from "../../core/virtual-server/pool.ts";
import type { KeptServer } from "./balancing-store.ts";

export const targetsOf = ({
  targets,
  protocol,
}: Pick<VirtualServerConfig, "targets" | "protocol">): readonly ServiceTarget[] =>
  targets.map((one) => (one.kind === "address" ? { ...one, protocol } : one));

/** How a virtual server begins: from what the kernel has of it, and from what is kept of it. */
export function startOf(
  config: VirtualServerConfig,
  table: ServiceTable | undefined,
  kept: KeptServer | undefined,
  { now, wallMs }: { readonly now: Instant; readonly wallMs: number },
): Extract<PoolEvent, { readonly kind: "start" }> {
  const presumed = presumedOf(config, table);
  const leaving: Record<DestinationKey, LeavingServer> = {};
  for (const [key, { member, untilMs }] of Object.entries(kept?.leaving ?? {})) {
    const rest = milliseconds(Math.max(0, untilMs - wallMs));
    leaving[key as DestinationKey] = { member, until: after(now, rest) };
  }
  return {
    kind: "start",
    presumed: presumed ?? {},
    // What an earlier boot had told is nothing to go by.
    quorum: presumed === undefined ? undefined : kept?.quorum,
    overrides: kept?.overrides ?? {},
    leaving,
  };
}

/**
 * A server that is in the kernel's pool was up, and one with checks that is not was down: nothing changes
 * until they have looked. Weight 0 says that somebody wants it so, but of one that a failure leaves in the
 * pool with 0 (inhibit_on_failure). `undefined`: the kernel knows nothing of the service.
 */
function presumedOf(
  config: VirtualServerConfig,
  table: ServiceTable | undefined,
): Readonly<Record<DestinationKey, boolean>> | undefined {
  const entry = targetsOf(config)
    .map((target) => table?.get(serviceKey(target)))
    .find((found) => found !== undefined);
  if (entry === undefined) return undefined;
  const weights = new Map(entry.destinations.map((each) => [destinationKey(each), each.weight]));
  const presumed: Record<DestinationKey, boolean> = {};
  for (const real of config.realServers) {
    const weight = weights.get(destinationKey(real));
    const inPool = weight !== undefined && (weight > 0 || !real.inhibitOnFailure);
    presumed[destinationKey(real)] = real.checks.length === 0 || inPool;
  }
  return presumed;
}
