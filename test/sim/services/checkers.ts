import type {
  RealServerConfig,
  VirtualServerConfig,
} from "../../../agent/config/virtual-servers.ts";
import type { DestinationKey, ServiceKey } from "../../../agent/core/ipvs/service.ts";
import { destinationKey } from "../../../agent/core/ipvs/service.ts";
import { serviceKeysOf } from "../../../agent/runtime/balancing/service-targets.ts";
import { Violation } from "../checker.ts";
import type { MakeWatch } from "./trial.ts";
import { detectionTime, expectedPool, health, isHeld } from "./truth.ts";
import type { Said, World } from "./world.ts";
import { nameOf } from "./world.ts";

/** What the kernel and the event loop may take, beside the times of the configuration. */
const SLACK = 3_000_000;
/** The table is looked at every 10 s, and what it is found to be takes a moment to mend. */
export const AUDIT = 13_000_000;
/** What is refused is tried again later and later. */
const BACKOFF = 40_000_000;

interface Place {
  readonly service: VirtualServerConfig;
  readonly real: RealServerConfig;
  readonly server: DestinationKey;
  readonly key: ServiceKey;
}

/** Each configured real server in each service of the kernel that it belongs to. */
function* placesOf({ inForce }: World): Iterable<Place> {
  for (const service of inForce) {
    for (const key of serviceKeysOf(service)) {
      for (const real of service.realServers) {
        yield { service, real, server: destinationKey(real), key };
      }
    }
  }
}

/** Nothing but time passes since then: nobody meddled, the kernel obeyed, no order and no restart came. */
const undisturbedSince = (world: World): number =>
  Math.max(world.disturbedAt, world.driftedAt + AUDIT, world.failingUntil + BACKOFF);

/** Once all is quiet, the kernel has exactly what the truth comes to. */
const converges: MakeWatch = (trial) => {
  const { world } = trial;
  const look = (service: VirtualServerConfig, key: ServiceKey): void => {
    const wanted = `${service.scheduler} ${text(expectedPool(world, service))}`;
    const entry = world.kernel.table.get(key);
    const pool = entry?.destinations.map((one) => [destinationKey(one), one.weight] as const);
    const found = entry && `${entry.service.scheduler} ${text(pool ?? [])}`;
    if (found === wanted) return;
    throw new Violation("converges", world.now, `${key} has ${found} in place of ${wanted}`);
  };
  return {
    sample() {
      if (!isCalm(trial)) return;
      for (const service of world.inForce)
        for (const key of serviceKeysOf(service)) look(service, key);
      const stray = world.kernel.ours.find((key) => world.owner(key) === undefined);
      if (stray === undefined || waits(world)) return;
      throw new Violation("converges", world.now, `${stray} is wanted no more, and still there`);
    },
  };
};

const isCalm = ({ calmSince, world }: Parameters<MakeWatch>[0]): boolean =>
  calmSince !== undefined && world.now >= calmSince;

/** Somebody may finish connections of a service that is gone. */
const waits = ({ leaving, now }: World): boolean =>
  [...leaving.values()].some(({ until }) => now <= until + SLACK);

const text = (pool: Iterable<readonly [string, number]>): string =>
  [...pool]
    .map(([key, weight]) => `${key}=${weight}`)
    .sort()
    .join(" ");

/** Once all is quiet, nothing is done and nothing is told: not by an audit, and not by a restart. */
const quiescent: MakeWatch = (trial) => {
  const { world } = trial;
  return {
    commands([first]) {
      if (!isCalm(trial) || waits(world)) return;
      throw new Violation("quiescent", world.now, `${first?.kind} although nothing changed`);
    },
    report({ subject, message, detail }) {
      if (!isCalm(trial) || waits(world)) return;
      // What one check says of a server that another has down is not kept.
      if (detail["change"] === "weight" && detail["up"] === false) return;
      throw new Violation("quiescent", world.now, `${subject}: ${message}`);
    },
  };
};

/** Who does not answer takes nothing, as soon as that can be known; unless the guard holds it. */
const deadTakesNothing: MakeWatch = ({ world }) => ({
  sample() {
    for (const { service, real, server, key } of placesOf(world)) {
      const { good, since } = health(world, real);
      if (good || isHeld(world, service.name, server) || isSuspended(world, service)) continue;
      const from = Math.max(since, undisturbedSince(world));
      if (world.now < from + detectionTime(real) + SLACK) continue;
      if ((world.kernel.weight(key, server) ?? 0) === 0) continue;
      const millis = Math.round((world.now - since) / 1_000);
      const message = `${server} of ${key} still has its weight after ${millis} ms`;
      throw new Violation("dead-takes-nothing", world.now, message);
    }
  },
});

const isSuspended = ({ addresses }: World, { haSuspend, targets }: VirtualServerConfig): boolean =>
  haSuspend && !targets.some((one) => one.kind === "address" && addresses.has(one.address));

/** What operators said holds in the kernel, soon after it was said and whatever else happens. */
const ordersHold: MakeWatch = ({ world }) => ({
  sample() {
    if (world.now < undisturbedSince(world) + SLACK) return;
    for (const { service, server, key } of placesOf(world)) {
      const said = world.orders.get(nameOf(service, server))?.said;
      const weight = world.kernel.weight(key, server);
      if (said === undefined || isObeyed(said, weight)) continue;
      const message = `${server} of ${key} has weight ${weight} against an order to ${said.kind}`;
      throw new Violation("orders-hold", world.now, message);
    }
  },
});

/** `weight`: the kernel's; `undefined`: it is not in the pool. */
function isObeyed(said: Said, weight: number | undefined): boolean {
  if (said.kind === "disable") return weight === undefined;
  return (weight ?? 0) <= (said.kind === "weight" ? said.weight : 0);
}

/** Who was taken out of the configuration is gone when its time is over: no weight 0 for ever. */
const leaversLeave: MakeWatch = ({ world }) => {
  const look = (service: VirtualServerConfig, key: ServiceKey): void => {
    const { realServers, sorryServer } = service;
    const wanted = new Set<string>([...realServers, sorryServer ?? []].flat().map(destinationKey));
    for (const one of world.kernel.table.get(key)?.destinations ?? []) {
      const server = destinationKey(one);
      const until = world.leaving.get(nameOf(service, server))?.until ?? 0;
      if (wanted.has(server) || world.now < until + SLACK) continue;
      const message = `${server} of ${key} is out of the configuration, and still there`;
      throw new Violation("leavers-leave", world.now, message);
    }
  };
  return {
    sample() {
      if (world.now < undisturbedSince(world) + AUDIT) return;
      for (const service of world.inForce)
        for (const key of serviceKeysOf(service)) look(service, key);
    },
  };
};

/** Where the guard watches, a lost network of the checks empties no pool. */
const massFailure: MakeWatch = (trial) => ({
  sample() {
    const { world, networkLost } = trial;
    if (networkLost === undefined) return;
    for (const service of world.inForce) {
      const bound = Math.max(0, ...service.realServers.map(detectionTime)) + SLACK;
      const before = networkLost.taking.get(service.name) ?? 0;
      if (world.now < networkLost.at + bound || before < 2 || !isEmptied(world, service)) continue;
      const message = `${service.name} lost all of ${before} servers with the network of the checks`;
      throw new Violation("mass-failure", world.now, message);
    }
  },
});

/** Nobody takes connections, where the guard and no sorry server is to prevent it. */
function isEmptied(world: World, service: VirtualServerConfig): boolean {
  // Who fell first was believed; what that cost of the quorum hysteresis may not give back.
  const sorry = service.sorryServer !== undefined && !world.states.get(service.name)?.quorum;
  return service.panicThreshold > 0 && !sorry && takers(world, service) === 0;
}

/** How many of its real servers that have checks take connections. */
export function takers({ kernel }: World, service: VirtualServerConfig): number {
  const [key] = serviceKeysOf(service);
  if (key === undefined) return 0;
  const checked = service.realServers.filter(({ checks }) => checks.length > 0);
  const weights = checked.map((real) => kernel.weight(key, destinationKey(real)) ?? 0);
  return weights.filter((weight) => weight > 0).length;
}

export const CHECKERS: readonly MakeWatch[] = [
  converges,
  quiescent,
  deadTakesNothing,
  ordersHold,
  leaversLeave,
  massFailure,
];
