import type { VirtualServerConfig } from "../../../agent/config/virtual-servers.ts";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import type { ServiceKey } from "../../../agent/core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../../agent/core/ipvs/service.ts";
import { RAMP_STEPS } from "../../../agent/core/virtual-server/pool.ts";
import { serviceKeysOf } from "../../../agent/runtime/balancing/service-targets.ts";
import { Violation } from "../checker.ts";
import { AUDIT } from "./checkers.ts";
import { targetOf } from "./kernel.ts";
import type { MakeWatch } from "./trial.ts";
import { targetWeight } from "./truth.ts";
import type { World } from "./world.ts";
import { nameOf } from "./world.ts";

/** Deadlines are kept in milliseconds of the wall clock. */
const ROUNDING = 2_000;

/** What is not ours is never touched, and what is configured is never removed whole. */
const onlyOurs: MakeWatch = ({ world }) => ({
  command(command) {
    const key = serviceKey(targetOf(command));
    if (world.kernel.theirs.has(key)) {
      throw new Violation("only-ours", world.now, `${command.kind} of ${key}, which is another's`);
    }
    if (command.kind !== "delete-service" || world.stopping || world.owner(key) === undefined)
      return;
    throw new Violation("only-ours", world.now, `${key} is removed although it is configured`);
  },
});

/** Who may not take anything is given no weight, not for a moment. */
const noWeightForThose: MakeWatch = ({ world }) => ({
  command(command) {
    if (command.kind !== "add-destination" && command.kind !== "edit-destination") return;
    const { target, destination } = command;
    const service = world.owner(serviceKey(target));
    if (destination.weight === 0 || service === undefined) return;
    const why = whyNot(world, service, destinationKey(destination));
    if (why === undefined) return;
    const message = `${destinationKey(destination)} of ${service.name} gets weight ${destination.weight}: ${why}`;
    throw new Violation("no-weight-for-those", world.now, message);
  },
});

function whyNot(
  world: World,
  service: VirtualServerConfig,
  server: ReturnType<typeof destinationKey>,
): string | undefined {
  const { sorryServer, realServers, name } = service;
  const state = world.states.get(name);
  const sorry = sorryServer !== undefined && destinationKey(sorryServer) === server;
  if (sorry) return state?.quorum === true ? "the quorum is there" : undefined;
  if (!realServers.some((real) => destinationKey(real) === server)) return "it is not configured";
  const said = world.orders.get(nameOf(service, server))?.said.kind;
  if (said === "drain" || said === "disable") return `the order is to ${said}`;
  const claim = world.claims.get(nameOf(service, server));
  if (world.claimsHeard && claim?.kind === "down") return "a policy says that it is down";
  if (state?.servers[server]?.up === false) return "it is down";
  if (sorryServer !== undefined && state?.quorum === false) return "the sorry server stands in";
  return undefined;
}

/** A destination with connections goes only for a reason of its own. */
const noConnectionCut: MakeWatch = ({ world }) => {
  const cut = (key: ServiceKey, server: string, why: string): void => {
    const active = world.kernel.connections(key, server);
    if (active === 0) return;
    const message = `${server} of ${key} is removed with ${active} connections: ${why}`;
    throw new Violation("no-connection-cut", world.now, message);
  };
  const cutAll = (key: ServiceKey): void => {
    for (const { service, server, until } of world.leaving.values()) {
      if (until <= world.now + ROUNDING || !serviceKeysOf(service).includes(key)) continue;
      cut(key, server, "it may still finish them");
    }
  };
  return {
    command(command) {
      if (world.stopping) return;
      const key = serviceKey(targetOf(command));
      if (command.kind === "delete-service") cutAll(key);
      const service = world.owner(key);
      if (command.kind !== "delete-destination" || service === undefined) return;
      const server = destinationKey(command.destination);
      const why = whyKept(world, service, server);
      if (why !== undefined) cut(key, server, why);
    },
  };
};

/** Why a destination has to stay; `undefined`: it may go. */
function whyKept(
  world: World,
  service: VirtualServerConfig,
  server: ReturnType<typeof destinationKey>,
): string | undefined {
  const name = nameOf(service, server);
  const real = service.realServers.find((one) => destinationKey(one) === server);
  if (real === undefined) {
    return (world.leaving.get(name)?.until ?? 0) > world.now + ROUNDING
      ? "it may still finish them"
      : undefined;
  }
  const said = world.orders.get(name)?.said.kind;
  if (said === "disable") return undefined;
  if (real.inhibitOnFailure) return "it is inhibited, never removed";
  const state = world.states.get(service.name);
  if (state?.servers[server]?.up !== true) return undefined;
  if (said === "drain") return "it is only drained";
  if (service.sorryServer !== undefined && state.quorum === false) return undefined;
  return "it is up";
}

/** On the way a service never weighs less than before and after; nothing is removed and added again. */
const capacityStays: MakeWatch = ({ world }) => {
  let least = new Map<ServiceKey, number>();
  let before = new Map<ServiceKey, number>();
  let removed = new Set<string>();
  const weigh = (): Map<ServiceKey, number> =>
    new Map(
      [...world.kernel.table].map(([key, { destinations }]) => [
        key,
        destinations.reduce((sum, one) => sum + one.weight, 0),
      ]),
    );
  const look = (): void => {
    for (const [key, weight] of weigh()) least.set(key, Math.min(weight, least.get(key) ?? weight));
  };
  return {
    commands() {
      before = weigh();
      least = new Map(before);
      removed = new Set();
    },
    command(command) {
      look();
      const name = subjectOf(command);
      if (command.kind.startsWith("delete")) removed.add(name);
      if (!command.kind.startsWith("add") || !removed.has(name)) return;
      throw new Violation("capacity", world.now, `${name} is removed and added again`);
    },
    applied() {
      // What somebody else has just done to it is not known yet.
      if (world.now < world.driftedAt + AUDIT) return;
      const after = weigh();
      for (const [key, low] of least) {
        const bound = Math.min(before.get(key) ?? 0, after.get(key) ?? 0);
        if (low >= bound) continue;
        throw new Violation(
          "capacity",
          world.now,
          `${key} weighed ${low} on the way, not ${bound}`,
        );
      }
    },
  };
};

const subjectOf = (command: IpvsCommand): string =>
  "destination" in command
    ? `${serviceKey(command.target)} ${destinationKey(command.destination)}`
    : serviceKey(targetOf(command));

/** Who has just come back takes only its part. */
const slowStart: MakeWatch = ({ world }) => {
  const upAt = new Map<string, number>();
  return {
    // How far somebody had come is not kept.
    started: () => upAt.clear(),
    effects(name, effects) {
      for (const one of effects) {
        if (one.kind !== "server") continue;
        if (one.up && !one.start) upAt.set(`${name}/${one.server}`, world.now);
        else upAt.delete(`${name}/${one.server}`);
      }
    },
    command(command) {
      if (command.kind !== "add-destination" && command.kind !== "edit-destination") return;
      const service = world.owner(serviceKey(command.target));
      const server = destinationKey(command.destination);
      const real = service?.realServers.find((one) => destinationKey(one) === server);
      if (service === undefined || real === undefined || service.slowStart === 0) return;
      const since = upAt.get(nameOf(service, server));
      if (since === undefined || world.now - since >= service.slowStart) return;
      const steps = Math.floor(((world.now - since) * RAMP_STEPS) / service.slowStart);
      // What it is to have may just have been more.
      const full = Math.max(10, real.weight, targetWeight(world, service, real));
      const most = Math.max(1, Math.ceil((full * (steps + 1)) / RAMP_STEPS));
      if (command.destination.weight <= most) return;
      const message = `${server} of ${service.name} takes ${command.destination.weight} at once, not ${most}`;
      throw new Violation("slow-start", world.now, message);
    },
  };
};

export const COMMAND_CHECKERS: readonly MakeWatch[] = [
  onlyOurs,
  noWeightForThose,
  noConnectionCut,
  capacityStays,
  slowStart,
];
