import type { RealServerConfig } from "../../config/virtual-servers.ts";
import type {
  RealServerStatus,
  ServerContribution,
  ServiceStatus,
} from "../../control/protocol.ts";
import type { Destination, DestinationKey, ServiceKey } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import type { ServerState } from "../../core/virtual-server/pool.ts";
import { takesPart } from "../../core/virtual-server/settle.ts";
import type { Counted } from "./connections.ts";
import type { KernelTable } from "./kernel-table.ts";
import type { Served } from "./served.ts";
import type { ServerChanges } from "./server-changes.ts";
import type { HeldClaim } from "./server-claims.ts";
import { serviceKeysOf } from "./service-targets.ts";

type Kernel = Pick<KernelTable, "actual" | "refused">;
type Count = (services: readonly ServiceKey[], server: DestinationKey) => Counted | undefined;

export function statusOf(
  served: Served,
  kernel: Kernel,
  count: Count,
  { retiring, ...around }: Around,
): ServiceStatus {
  const { config, state, name, suspended } = served;
  const services = serviceKeysOf(config);
  const [first] = services;
  const actual = byKey(first === undefined ? [] : (kernel.actual(first)?.destinations ?? []));
  const wanted = byKey(served.entries()[0]?.destinations ?? []);
  let weight = 0;
  for (const server of Object.values(state.servers)) if (takesPart(server)) weight += server.weight;
  const { quorum, hysteresis, sorryServer, scheduler } = config;
  const weights = (key: DestinationKey) => ({
    weight: wanted.get(key)?.weight ?? null,
    kernelWeight: actual.get(key)?.weight ?? null,
    connections: count(services, key) ?? null,
  });
  return {
    name,
    targets: services,
    scheduler,
    quorum: { up: state.quorum, weight, wanted: quorum, hysteresis },
    sorryServer:
      sorryServer === undefined
        ? null
        : { server: destinationKey(sorryServer), active: !state.quorum },
    held: state.panic?.held.length ?? 0,
    suspended,
    retiring,
    refused: [...kernel.refused].flatMap(([subject, message]) =>
      services.some((key) => subject.startsWith(key)) ? [message] : [],
    ),
    realServers: [
      ...realServers(served, weights, around),
      ...leavingServers(served, weights, around),
      ...(retiring ? [] : removedServers(served, around)),
    ],
  };
}

/** What operators changed, and how it stands with the whole. */
interface Around extends Changed {
  /** Not configured any more. */
  readonly retiring: boolean;
}

interface Changed {
  readonly changes: ServerChanges;
  /** What policies say of the real server `service/address:port`. */
  readonly claimsOf: (name: string) => ReadonlyMap<string, HeldClaim>;
  /** Real servers of the file that were taken away. */
  readonly removed: readonly RealServerConfig[];
}

type Weights = (
  key: DestinationKey,
) => Pick<RealServerStatus, "weight" | "kernelWeight" | "connections">;

function* realServers(
  served: Served,
  weights: Weights,
  { changes, claimsOf }: Changed,
): Iterable<RealServerStatus> {
  const held = new Set(served.state.panic?.held);
  for (const real of served.config.realServers) {
    const key = destinationKey(real);
    const server = served.state.servers[key];
    if (server === undefined) continue;
    yield {
      server: key,
      state: held.has(key) ? "held" : server.up ? "up" : "down",
      reason: server.reason,
      since: served.since(key),
      configuredWeight: real.weight,
      ...weights(key),
      override: server.override ?? null,
      change: changeOf(changes, key),
      contributions: contributionsOf(claimsOf(`${served.name}/${key}`)),
      checks: checksOf(served, key, server),
    };
  }
}

const contributionsOf = (claims: ReadonlyMap<string, HeldClaim>): readonly ServerContribution[] =>
  [...claims]
    .map(([source, { claim, since }]) => ({
      source,
      kind: claim.kind,
      weight: claim.kind === "down" ? null : claim.weight,
      since,
    }))
    .sort((one, other) => one.since - other.since);

const checksOf = (
  served: Served,
  key: DestinationKey,
  { found }: ServerState,
): RealServerStatus["checks"] =>
  served.checksOf(key).map(({ look, kind }, at) => ({
    kind,
    verdict: found[at]?.verdict ?? "unknown",
    reason: look.reason || (found[at]?.reason ?? ""),
    ...look.figures(),
  }));

const leavingServers = (
  { state }: Served,
  weights: Weights,
  { changes }: Changed,
): readonly RealServerStatus[] =>
  Object.keys(state.leaving).map((name) => ({
    ...ABSENT,
    server: name,
    state: "leaving" as const,
    reason: "removed from the configuration",
    ...weights(name as DestinationKey),
    change: changeOf(changes, name as DestinationKey),
  }));

/** Those of the file that are not even leaving. */
const removedServers = (
  { state }: Served,
  { changes, removed }: Changed,
): readonly RealServerStatus[] =>
  removed.flatMap((real) => {
    const server = destinationKey(real);
    if (state.leaving[server] !== undefined) return [];
    const change = changeOf(changes, server);
    const { weight: configuredWeight } = real;
    return [{ ...ABSENT, server, state: "removed" as const, configuredWeight, change }];
  });

const ABSENT = {
  reason: "",
  since: null,
  configuredWeight: 0,
  weight: null,
  kernelWeight: null,
  connections: null,
  override: null,
  contributions: [],
  checks: [],
} as const;

function changeOf(
  { added, removed }: ServerChanges,
  server: DestinationKey,
): RealServerStatus["change"] {
  const come = added[server];
  if (come !== undefined) {
    const { who, at, like } = come;
    return { kind: "added", who, at, like: like ?? null };
  }
  const gone = removed[server];
  return gone === undefined ? null : { kind: "removed", who: gone.who, at: gone.at, like: null };
}

const byKey = (destinations: readonly Destination[]): ReadonlyMap<DestinationKey, Destination> =>
  new Map(destinations.map((each) => [destinationKey(each), each]));
