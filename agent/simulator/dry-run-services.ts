import type { BalancedServer, BalancedService } from "../../sdk/index.ts";
import type { RealServerStatus, ServiceStatus } from "../control/protocol.ts";

/** Services of the agent that runs, as its status has them; thresholds are not in it. */
export const balancedServices = (
  services: readonly ServiceStatus[],
): ReadonlyMap<string, BalancedService> =>
  new Map(services.filter(({ retiring }) => !retiring).map((one) => [one.name, balanced(one)]));

const balanced = ({ name, quorum, realServers }: ServiceStatus): BalancedService => ({
  name,
  quorum: quorum.up,
  realServers: realServers
    .filter(({ state }) => state !== "leaving" && state !== "removed")
    .map((server) => serverOf(name, server)),
});

function serverOf(service: string, status: RealServerStatus): BalancedServer {
  const { server, state, weight, configuredWeight, reason, override, connections } = status;
  const up = (state === "up" || state === "held") && override?.kind !== "disable";
  return {
    key: server,
    name: `${service}/${server}`,
    up,
    weight: up ? (weight ?? 0) : 0,
    configuredWeight,
    reason,
    held: state === "held",
    order: override?.kind ?? null,
    latencyMs: latencyOf(status),
    activeConnections: connections?.active ?? 0,
    inactiveConnections: connections?.inactive ?? 0,
    upperThreshold: 0,
    lowerThreshold: 0,
  };
}

/** Of the slowest check, as the agent counts it. */
function latencyOf({ checks }: RealServerStatus): BalancedServer["latencyMs"] {
  const known = checks.flatMap(({ lastMs, p50Ms, p99Ms }) =>
    lastMs === null || p50Ms === null || p99Ms === null
      ? []
      : [{ last: lastMs, p50: p50Ms, p99: p99Ms }],
  );
  return known.sort((one, other) => other.p50 - one.p50)[0];
}
