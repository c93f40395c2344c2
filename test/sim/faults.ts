import type { IpAddress } from "../../agent/core/address.ts";
import { micros } from "../../agent/core/time.ts";
import type { Node } from "./node.ts";
import type { Prng } from "./prng.ts";
import type { World } from "./world.ts";

type Fault = (world: World, prng: Prng, unit: number) => void;

const paths = (world: World, from: Node): readonly Node[] =>
  world.nodes.filter((node) => node !== from && node.lan === from.lan);

/** Every kind of misfortune that a group can meet. `unit` is the longest interval. */
const FAULTS: Readonly<Record<string, Fault>> = {
  loss: (world, prng) => {
    const from = prng.pick(world.nodes);
    for (const to of paths(world, from)) {
      world.segment.path(from, to).loss = prng.between(0.05, 0.6);
    }
  },
  "one-way link": (world, prng) => {
    const from = prng.pick(world.nodes);
    world.segment.path(from, prng.pick(paths(world, from))).loss = 1;
  },
  partition: (world, prng) => {
    const left = world.nodes.filter(() => prng.chance(0.5));
    for (const a of left) {
      for (const b of world.nodes.filter((node) => !left.includes(node))) {
        world.segment.path(a, b).loss = 1;
        world.segment.path(b, a).loss = 1;
      }
    }
  },
  delay: (world, prng, unit) => {
    const from = prng.pick(world.nodes);
    for (const to of paths(world, from)) {
      world.segment.path(from, to).delayMax = prng.between(0.2, 3) * unit;
    }
  },
  duplication: (world, prng) => {
    const from = prng.pick(world.nodes);
    for (const to of paths(world, from)) world.segment.path(from, to).duplication = 0.5;
  },
  "network heals": (world) => world.segment.heal(),
  pause: (world, prng, unit) => {
    const node = prng.pick(world.nodes);
    world.pause(node);
    world.at(world.now + prng.between(0.1, 12) * unit, () => world.resume(node));
  },
  crash: (world, prng, unit) => {
    const node = prng.pick(world.nodes);
    world.crash(node);
    world.at(world.now + prng.between(0.1, 10) * unit, () => world.start(node));
  },
  stop: (world, prng, unit) => {
    const node = prng.pick(world.nodes);
    world.stop(node);
    world.at(world.now + prng.between(0.5, 10) * unit, () => world.start(node));
  },
  "link flap": (world, prng, unit) => {
    const node = prng.pick(world.nodes);
    world.setLink(node, false);
    world.at(world.now + prng.between(0.1, 8) * unit, () => world.setLink(node, true));
  },
  "priority change": (world, prng) => {
    const node = prng.pick(world.nodes);
    if (node.router.priority === 255) return;
    const priority = prng.whole(1, 254);
    for (const mate of node.mates) world.configure(mate, { ...mate.router, priority });
  },
  "provoking flood": (world, prng, unit) => {
    const priority = prng.chance(0.5) ? 0 : 1;
    const source = "192.0.2.99" as IpAddress;
    const interval = world.nodes[0]?.router.advertisementInterval ?? micros(unit);
    for (let i = 0; i < 2_000; i++) {
      world.at(world.now + i * 200, () => {
        world.inject({ priority, source, maxAdvertiseInterval: interval });
      });
    }
  },
  reload: (world, prng) => {
    const node = prng.pick(world.nodes);
    const { router } = node;
    world.configure(node, {
      ...router,
      lowerPrioNoAdvert: prng.chance(0.2),
      // Only ever shorter: the schedule counts in the longest interval of the group.
      advertisementInterval:
        router.version === 3 && prng.chance(0.3)
          ? micros(Math.max(10_000, router.advertisementInterval / 2))
          : router.advertisementInterval,
    });
  },
};

export const FAULT_NAMES = Object.keys(FAULTS);

/** Puts a number of random faults into the time before `end`; answers how many. */
export function scheduleFaults(world: World, prng: Prng, unit: number, end: number): number {
  const count = prng.whole(4, 12);
  for (let i = 0; i < count; i++) {
    const fault = FAULTS[prng.pick(FAULT_NAMES)];
    if (fault) world.at(prng.between(0, end), () => fault(world, prng, unit));
  }
  return count;
}

/** Ends every fault: all agents run, all links are up, no packet is lost. */
export function healAll(world: World): void {
  world.segment.heal();
  for (const node of world.nodes) {
    world.setLink(node, true);
    world.resume(node);
    world.start(node);
  }
}
