import type {
  RealServerConfig,
  VirtualServerConfig,
} from "../../../agent/config/virtual-servers.ts";
import type { IpvsCommand } from "../../../agent/core/ipvs/reconcile.ts";
import type { ServiceTarget } from "../../../agent/core/ipvs/service.ts";
import { destinationKey, serviceKey } from "../../../agent/core/ipvs/service.ts";
import type { ServerClaim } from "../../../agent/core/virtual-server/pool.ts";
import { targetsOf } from "../../../agent/runtime/balancing/service-targets.ts";
import { destination, service as serviceOf } from "../../ipvs/example.ts";
import type { Prng } from "../prng.ts";
import type { Manner } from "./hosts.ts";
import { WELL } from "./hosts.ts";
import { drawService, editService, HOSTS } from "./plan.ts";
import type { Said, World } from "./world.ts";
import { nameOf } from "./world.ts";

type Fault = (world: World, prng: Prng) => void;

const SECOND = 1_000_000;

const drawManner = (prng: Prng): Manner => {
  if (prng.chance(0.4)) return WELL;
  if (prng.chance(0.3)) return { kind: "good", ms: prng.pick([50, 700, 1_500, 2_600]) };
  return prng.chance(0.5) ? { kind: "refuses" } : { kind: "silent" };
};

function setHost(world: World, last: number, manner: Manner): void {
  for (let number = 1; number <= 4; number += 1) {
    world.hosts.set(last, 8_000 + number, manner);
    world.hosts.set(last, 9_000 + number, manner);
  }
}

interface Member {
  readonly service: VirtualServerConfig;
  readonly real: RealServerConfig;
}

function pickMember(world: World, prng: Prng): Member | undefined {
  const all = world.inForce.flatMap((service) =>
    service.realServers.map((real) => ({ service, real })),
  );
  return all.length === 0 ? undefined : prng.pick(all);
}

const pickTarget = (world: World, prng: Prng): ServiceTarget | undefined => {
  const all = world.inForce.flatMap(targetsOf);
  return all.length === 0 ? undefined : prng.pick(all);
};

/** Everything that befalls a director, or is done to it. */
const FAULTS: Readonly<Record<string, Fault>> = {
  "host changes": (world, prng) => setHost(world, prng.pick(HOSTS), drawManner(prng)),
  "host changes again": (world, prng) => setHost(world, prng.pick(HOSTS), drawManner(prng)),
  "port changes": (world, prng) => {
    const base = prng.chance(0.5) ? 8_000 : 9_000;
    world.hosts.set(prng.pick(HOSTS), base + prng.whole(1, 3), drawManner(prng));
  },
  "host flaps": (world, prng) => {
    const last = prng.pick(HOSTS);
    const gap = prng.between(0.2, 5) * SECOND;
    for (let turn = 0; turn < 8; turn += 1) {
      const manner: Manner = turn % 2 === 0 ? { kind: "refuses" } : WELL;
      world.time.later(turn * gap, () => setHost(world, last, manner));
    }
  },
  "host says its weight": (world, prng) => {
    const last = prng.pick(HOSTS);
    if (prng.chance(0.3)) world.hosts.says.delete(last);
    else world.hosts.says.set(last, prng.whole(0, 9));
  },
  "checks lose their network": (world, prng) => {
    world.hosts.reach(false);
    world.time.later(prng.between(0.5, 20) * SECOND, () => world.hosts.reach(true));
  },
  order: (world, prng) => {
    const member = pickMember(world, prng);
    if (member === undefined) return;
    const all: readonly Said[] = [
      { kind: "drain" },
      { kind: "disable" },
      { kind: "weight", weight: prng.whole(0, 9) },
    ];
    const said = prng.chance(0.3) ? undefined : prng.pick(all);
    world.order(member.service, member.real, said);
  },
  claim: (world, prng) => {
    const member = pickMember(world, prng);
    if (member === undefined) return;
    const name = nameOf(member.service, destinationKey(member.real));
    const all: readonly ServerClaim[] = [
      { kind: "weight", weight: prng.whole(0, 9) },
      { kind: "down", reason: "a policy says so" },
    ];
    const claim = prng.chance(0.4) ? undefined : prng.pick(all);
    world.claim(name, claim);
  },
  reload: (world, prng) => reload(world, prng),
  "reload, and killed at once": (world, prng) => {
    reload(world, prng);
    world.kill();
    world.time.later(prng.between(0.2, 3) * SECOND, () => world.start());
  },
  "reload with nothing new": (world) => world.reload(world.plan),
  kill: (world, prng) => {
    world.kill();
    world.time.later(prng.between(0.1, 15) * SECOND, () => world.start());
  },
  stop: (world, prng) => {
    world.stop();
    world.time.later(prng.between(2, 10) * SECOND, () => world.start());
  },
  pause: (world, prng) => {
    world.pause();
    world.time.later(prng.between(0.1, 8) * SECOND, () => world.resume());
  },
  meddle: (world, prng) => meddle(world, prng),
  "their own services": (world, prng) => theirs(world, prng),
  "the kernel refuses": (world, prng) => {
    const kind = prng.pick<IpvsCommand["kind"] | "read">([
      "read",
      "add-service",
      "add-destination",
      "edit-destination",
      "delete-destination",
    ]);
    const until = world.now + prng.between(1, 12) * SECOND;
    world.failingUntil = until;
    world.disturb();
    world.kernel.ip.failing = (command) =>
      (command === "read" ? command : command.kind) === kind && world.now < until
        ? "ENOMEM"
        : undefined;
  },
  "the kernel is slow": (world, prng) => {
    world.slowKernel = true;
    world.time.later(prng.between(1, 20) * SECOND, () => {
      world.slowKernel = false;
      world.disturb();
    });
  },
  "no ip_vs for a while": (world, prng) => {
    if (world.life !== undefined) return;
    const time = prng.between(1, 10) * SECOND;
    world.missing = true;
    world.failingUntil = world.now + time;
    world.time.later(time, () => {
      world.missing = false;
      world.disturb();
    });
  },
  "addresses move": (world, prng) => {
    const all = [...world.addresses];
    if (all.length === 0) return;
    const address = prng.pick(all);
    world.addresses.delete(address);
    world.disturb();
    world.time.later(prng.between(1, 15) * SECOND, () => {
      world.addresses.add(address);
      world.disturb();
    });
  },
  clients: (world, prng) => clients(world, prng),
  "more clients": (world, prng) => clients(world, prng),
  "clients everywhere": (world, prng) => {
    for (let turn = 0; turn < 4; turn += 1) clients(world, prng);
  },
  "another reload": (world, prng) => reload(world, prng),
};

function reload(world: World, prng: Prng): void {
  const plan = [...world.plan];
  const at = prng.whole(0, Math.max(0, plan.length - 1));
  const one = plan[at];
  if (one === undefined || (plan.length < 3 && prng.chance(0.2))) {
    const free = [1, 2, 3].find((number) => plan.every(({ habit }) => habit.number !== number));
    if (free !== undefined) plan.push(drawService(prng, free));
  } else if (prng.chance(0.15)) plan.splice(at, 1);
  else plan[at] = editService(prng, one);
  world.reload(plan);
}

/** Somebody uses ipvsadm on what is ours. */
function meddle(world: World, prng: Prng): void {
  const target = pickTarget(world, prng);
  const entry = target && world.kernel.table.get(serviceKey(target));
  if (target === undefined || entry === undefined) return;
  const { service, destinations } = entry;
  const stranger = destination("10.0.9.9:80");
  const one = destinations.length === 0 ? stranger : prng.pick(destinations);
  world.meddle(
    prng.pick<IpvsCommand>([
      { kind: "delete-destination", target, destination: one },
      { kind: "edit-destination", target, destination: { ...one, weight: prng.whole(0, 50) } },
      { kind: "add-destination", target, destination: stranger },
      { kind: "edit-service", service: { ...service, scheduler: "sh" } },
      { kind: "delete-service", target },
    ]),
  );
}

function theirs(world: World, prng: Prng): void {
  const one = serviceOf(`tcp 203.0.113.1:${prng.whole(1, 4)}`);
  const key = serviceKey(one.target);
  world.kernel.theirs.add(key);
  const { target } = one;
  const command = prng.pick<IpvsCommand>([
    { kind: "add-service", service: one },
    { kind: "add-destination", target, destination: destination(`10.0.0.${prng.pick(HOSTS)}:80`) },
    { kind: "delete-service", target },
  ]);
  world.kernel.carryOut(command);
}

/** Some come to whoever takes them; all of a destination leave after a while. */
function clients(world: World, prng: Prng): void {
  const target = pickTarget(world, prng);
  const entry = target && world.kernel.table.get(serviceKey(target));
  if (target === undefined || entry === undefined) return;
  for (const one of entry.destinations.filter(({ weight }) => weight > 0)) {
    world.kernel.flow(target, one, prng.whole(1, 20));
    world.time.later(prng.between(1, 60) * SECOND, () => {
      const key = destinationKey(one);
      if (world.kernel.weight(serviceKey(target), key) === undefined) return;
      world.kernel.flow(target, one, 0);
    });
  }
}

const FAULT_NAMES = Object.keys(FAULTS);

/** Puts a number of random faults between the two moments; answers how many. */
export function scheduleFaults(world: World, prng: Prng, from: number, end: number): number {
  const count = prng.whole(10, 30);
  for (let turn = 0; turn < count; turn += 1) {
    const fault = FAULTS[prng.pick(FAULT_NAMES)];
    if (fault) world.time.at(prng.between(from, end), () => fault(world, prng));
  }
  return count;
}

/** Ends every fault; some hosts stay as they are, as hosts do. */
export function healAll(world: World, prng: Prng): void {
  world.hosts.reach(true);
  world.missing = false;
  world.slowKernel = false;
  world.kernel.ip.failing = () => undefined;
  for (const last of HOSTS) if (prng.chance(0.75)) setHost(world, last, WELL);
  world.resume();
  world.start();
  world.disturb();
}
