import type {
  RealServerConfig,
  VirtualServerConfig,
} from "../../../agent/config/virtual-servers.ts";
import type { DestinationKey } from "../../../agent/core/ipvs/service.ts";
import { destinationKey } from "../../../agent/core/ipvs/service.ts";
import type { World } from "./world.ts";
import { nameOf } from "./world.ts";

// What must be, from what hosts, operators, policies and the file say alone.

/** How a real server is, and since when, by its checks. */
export function health(
  { hosts }: World,
  { checks }: RealServerConfig,
): { readonly good: boolean; readonly since: number } {
  const truths = checks.map((check) => hosts.truth(check));
  const bad = truths.filter(({ good }) => !good).map(({ since }) => since);
  if (bad.length > 0) return { good: false, since: Math.min(...bad) };
  return { good: true, since: Math.max(0, ...truths.map(({ since }) => since)) };
}

/** From the moment when a server fails to the moment when its checks must have said so. */
export function detectionTime({ checks }: Pick<RealServerConfig, "checks">): number {
  let longest = 0;
  for (const { timing } of checks) {
    const { interval, retries, retryInterval, timeout, warmup } = timing;
    const time = warmup + interval + timeout + retries * (retryInterval + timeout) + timeout;
    // Looks wait a little for one another, each time.
    longest = Math.max(longest, time + (retries + 2) * 10_000);
  }
  return longest;
}

/** What its weight is to be while it is up, slow start left out. */
export function targetWeight(
  world: World,
  service: VirtualServerConfig,
  real: RealServerConfig,
): number {
  const name = nameOf(service, destinationKey(real));
  const said = world.orders.get(name)?.said;
  if (said?.kind === "weight") return said.weight;
  if (said !== undefined) return 0;
  const claim = world.claims.get(name);
  if (claim?.kind === "weight") return claim.weight;
  const answers = real.checks.flatMap((check) => world.hosts.weight(check) ?? []);
  return answers.length > 0 ? Math.min(...answers) : real.weight;
}

/** Whom the guard holds, though its checks fail. */
export const isHeld = ({ states }: World, service: string, server: DestinationKey): boolean =>
  states.get(service)?.panic?.held.includes(server) === true;

/** Weights that the kernel is to have of a virtual server, once all have had their time. */
export function expectedPool(
  world: World,
  service: VirtualServerConfig,
): ReadonlyMap<DestinationKey, number> {
  const { sorryServer, sorryServerInhibit, realServers } = service;
  const servers = realServers.map((real) => serverTruth(world, service, real));
  const live = servers.reduce((sum, { up, weight }) => sum + (up ? weight : 0), 0);
  const sorry = sorryServer !== undefined && !quorumOf(world, service, live);
  const pool = new Map(finishing(world, service));
  for (const one of servers) {
    const weight = one.up && !sorry ? one.weight : one.otherwise;
    if (weight !== undefined) pool.set(one.key, weight);
  }
  if (sorryServer !== undefined && (sorry || sorryServerInhibit)) {
    pool.set(destinationKey(sorryServer), sorry ? 1 : 0);
  }
  return pool;
}

/** Who is out of it, and has connections and time left. */
const finishing = (
  world: World,
  { name }: VirtualServerConfig,
): readonly (readonly [DestinationKey, number])[] =>
  [...world.leaving.values()]
    .filter(({ service, until }) => service.name === name && until > world.now)
    .filter(({ service, server }) => connectionsOf(world, service, server) > 0)
    .map(({ server }) => [server, 0] as const);

interface ServerTruth {
  readonly key: DestinationKey;
  readonly weight: number;
  readonly up: boolean;
  /** What it has when it is not up, or a sorry server stands in; `undefined`: it is not in the pool. */
  readonly otherwise: 0 | undefined;
}

function serverTruth(
  world: World,
  service: VirtualServerConfig,
  real: RealServerConfig,
): ServerTruth {
  const key = destinationKey(real);
  const name = nameOf(service, key);
  const order = world.orders.get(name)?.said.kind;
  const refused = world.claims.get(name)?.kind === "down";
  const held = isHeld(world, service.name, key);
  const good = health(world, real).good || held;
  // What it would answer nobody hears, while it is held.
  const heldWeight = held ? world.states.get(service.name)?.servers[key]?.weight : undefined;
  const up = good && !refused && order !== "disable";
  const stays = real.inhibitOnFailure || (up && order === "drain");
  return {
    key,
    weight: heldWeight ?? targetWeight(world, service, real),
    up,
    otherwise: stays && order !== "disable" ? 0 : undefined,
  };
}

/** Between the two thresholds it is as it was. */
function quorumOf(world: World, service: VirtualServerConfig, live: number): boolean {
  const { name, quorum, hysteresis } = service;
  if (live === 0 || live < quorum - hysteresis) return false;
  if (live >= quorum + hysteresis) return true;
  return world.states.get(name)?.quorum === true;
}

export function connectionsOf(world: World, service: VirtualServerConfig, server: string): number {
  let active = 0;
  for (const key of world.kernel.ours) {
    if (world.owner(key)?.name === service.name) active += world.kernel.connections(key, server);
  }
  return active;
}
