import type { BalancedServer, BalancedService, ServiceView } from "../../../sdk/index.ts";
import type { DestinationKey, ServiceKey } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import { takesPart } from "../../core/virtual-server/settle.ts";
import { presentWeight } from "../../core/virtual-server/weight.ts";
import type { Counted } from "./connections.ts";
import { latencyOf } from "./latency.ts";
import type { Served } from "./served.ts";
import { serviceKeysOf } from "./service-targets.ts";

export type Count = (
  services: readonly ServiceKey[],
  server: DestinationKey,
) => Counted | undefined;

/** Services as policies see them. */
export const serverViews = (all: Iterable<Served>, count: Count): readonly ServiceView[] =>
  [...all].map((served): ServiceView => {
    const { name, state, config } = served;
    const services = serviceKeysOf(config);
    return {
      name,
      quorum: state.quorum,
      realServers: [...served.names()].map(({ server, name: reference }) => {
        const found = state.servers[server];
        const up = found !== undefined && takesPart(found);
        return {
          name: reference,
          up,
          weight: up ? presentWeight(found) : 0,
          activeConnections: count(services, server)?.active ?? 0,
        };
      }),
    };
  });

/** One service as whoever balances it sees it. */
export function balancedView(served: Served, count: Count): BalancedService {
  const { name, state, config } = served;
  const services = serviceKeysOf(config);
  const held = new Set(state.panic?.held);
  const realServers = new Map<DestinationKey, BalancedServer>();
  for (const real of config.realServers) {
    const key = destinationKey(real);
    const found = state.servers[key];
    // What stands twice counts once, as it stands first.
    if (found === undefined || realServers.has(key)) continue;
    const up = takesPart(found);
    const { active, inactive } = count(services, key) ?? { active: 0, inactive: 0 };
    realServers.set(key, {
      key,
      name: `${name}/${key}`,
      up,
      weight: up ? presentWeight(found) : 0,
      configuredWeight: real.weight,
      reason: found.reason,
      held: held.has(key),
      order: found.override?.kind ?? null,
      latencyMs: latencyOf(served.checksOf(key)),
      activeConnections: active,
      inactiveConnections: inactive,
      upperThreshold: real.upperThreshold,
      lowerThreshold: real.lowerThreshold,
    });
  }
  return { name, quorum: state.quorum, realServers: [...realServers.values()] };
}
