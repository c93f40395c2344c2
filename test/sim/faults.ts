import type { IpAddress } from "../../agent/core/address.ts";
import { micros } from "../../agent/core/time.ts";
import type { MandateRules } from "../../agent/core/witness/mandate.ts";
import type { Fences, FenceTrouble } from "./fences.ts";
import {
  crash,
  cutPower,
  dieAlone,
  pause,
  pauseWitness,
  resume,
  stall,
  start,
  stop,
} from "./lifecycle.ts";
import type { Node } from "./node.ts";
import type { Prng } from "./prng.ts";
import type { Store } from "./store.ts";
import type { World } from "./world.ts";

/** What a fault is put into. */
export interface Trouble {
  readonly world: World;
  readonly prng: Prng;
  /** The longest interval, microseconds. */
  readonly unit: number;
  /** Faults of the network end by themselves; otherwise when the network heals. */
  readonly passing: boolean;
  /** How many of the faults are about the store, where there is one: 0 to 1. */
  readonly storePart: number;
  /** Reloads change what hosts need before they are active. */
  readonly reloads: boolean;
}

type Fault = (trouble: Trouble) => void;

/** Where no third party is asked there is nothing to break. */
type StoreFault = (trouble: Trouble, store: Store) => void;

const paths = (world: World, from: Node): readonly Node[] =>
  world.nodes.filter((node) => node !== from && node.lan === from.lan);

/** Does it again after a time of so many units. */
const later = ({ world, prng, unit }: Trouble, from: number, to: number, run: () => void): void =>
  world.at(world.now + prng.between(from, to) * unit, run);

const inSeconds = ({ world, prng }: Trouble, from: number, to: number, run: () => void): void =>
  world.at(world.now + prng.between(from, to) * 1e6, run);

function passes(trouble: Trouble): void {
  const { world, passing } = trouble;
  if (passing) later(trouble, 0.5, 20, () => world.segment.heal());
}

/** Packets that provoke, this far apart: more than a socket holds, and than may be answered. */
const FLOOD_PACKETS = 700;
const FLOOD_SPACING = 200;

/** Every kind of misfortune that a group can meet. */
const FAULTS: Readonly<Record<string, Fault>> = {
  loss: (trouble) => {
    const { world, prng } = trouble;
    const from = prng.pick(world.nodes);
    for (const to of paths(world, from)) {
      world.segment.path(from, to).loss = prng.between(0.05, 0.6);
    }
    passes(trouble);
  },
  "one-way link": (trouble) => {
    const { world, prng } = trouble;
    const from = prng.pick(world.nodes);
    world.segment.path(from, prng.pick(paths(world, from))).loss = 1;
    passes(trouble);
  },
  partition: (trouble) => {
    const { world, prng } = trouble;
    const left = world.nodes.filter(() => prng.chance(0.5));
    for (const a of left) {
      for (const b of world.nodes.filter((node) => !left.includes(node))) {
        world.segment.path(a, b).loss = 1;
        world.segment.path(b, a).loss = 1;
      }
    }
    passes(trouble);
  },
  delay: (trouble) => {
    const { world, prng, unit } = trouble;
    const from = prng.pick(world.nodes);
    for (const to of paths(world, from)) {
      world.segment.path(from, to).delayMax = prng.between(0.2, 3) * unit;
    }
    passes(trouble);
  },
  duplication: (trouble) => {
    const { world, prng } = trouble;
    const from = prng.pick(world.nodes);
    for (const to of paths(world, from)) world.segment.path(from, to).duplication = 0.5;
    passes(trouble);
  },
  "network heals": ({ world }) => world.segment.heal(),
  "pause of the host": (trouble) => {
    const { world, prng } = trouble;
    const node = prng.pick(world.nodes);
    pause(node);
    later(trouble, 0.1, 12, () => resume(world, node));
  },
  "stall of the agent": (trouble) => {
    const { world, prng } = trouble;
    const node = prng.pick(world.nodes);
    stall(world, node);
    later(trouble, 0.1, 12, () => resume(world, node));
  },
  "death of everything": (trouble) => {
    const { world, prng } = trouble;
    const node = prng.pick(world.nodes);
    crash(node);
    later(trouble, 0.1, 10, () => start(world, node));
  },
  "death of the agent": (trouble) => {
    const { world, prng } = trouble;
    const node = prng.pick(world.nodes);
    dieAlone(world, node);
    later(trouble, 0.1, 3, () => start(world, node));
  },
  "power cut": (trouble) => {
    const { world, prng } = trouble;
    const node = prng.pick(world.nodes);
    cutPower(node);
    later(trouble, 2, 12, () => start(world, node));
  },
  stop: (trouble) => {
    const { world, prng } = trouble;
    const node = prng.pick(world.nodes);
    stop(world, node);
    later(trouble, 0.5, 10, () => start(world, node));
  },
  "link flap": (trouble) => {
    const { world, prng } = trouble;
    const node = prng.pick(world.nodes);
    world.setLink(node, false);
    later(trouble, 0.1, 8, () => world.setLink(node, true));
  },
  "priority change": ({ world, prng }) => {
    const node = prng.pick(world.nodes);
    if (node.router.priority === 255) return;
    const priority = prng.whole(1, 254);
    for (const mate of node.mates) world.configure(mate, { ...mate.router, priority });
  },
  "provoking flood": ({ world, prng, unit }) => {
    // Where a resignation saves somebody from being turned off, a stranger's is an attack.
    const priority = world.fences === undefined && prng.chance(0.5) ? 0 : 1;
    const source = "192.0.2.99" as IpAddress;
    const interval = world.nodes[0]?.router.advertisementInterval ?? micros(unit);
    for (let i = 0; i < FLOOD_PACKETS; i++) {
      world.at(world.now + i * FLOOD_SPACING, () => {
        world.inject({ priority, source, maxAdvertiseInterval: interval });
      });
    }
  },
  reload: ({ world, prng }) => {
    const node = prng.pick(world.nodes);
    const { router } = node;
    const mixed = world.nodes.some(({ drawnInterval }) => drawnInterval !== node.drawnInterval);
    world.configure(node, {
      ...router,
      lowerPrioNoAdvert: prng.chance(0.2) && !mixed,
      // Only ever shorter than drawn: the schedule counts in the longest interval of the group.
      advertisementInterval:
        router.version === 3 && prng.chance(0.3)
          ? micros(Math.max(10_000, node.drawnInterval / 2))
          : node.drawnInterval,
    });
  },
};

/** Longest way to a store that is slow, microseconds. */
const SLOWEST = 2_000_000;

const STORE_FAULTS: Readonly<Record<string, StoreFault>> = {
  "the store is down": (trouble, store) => {
    store.down = true;
    inSeconds(trouble, 0.1, 12, () => store.heal());
  },
  "the store is slow": (trouble, store) => {
    store.latencyMax = trouble.prng.between(0.01, 1) * SLOWEST;
    inSeconds(trouble, 0.5, 12, () => store.heal());
  },
  "one host does not reach the store": (trouble, store) => {
    const node = trouble.prng.pick(trouble.world.nodes);
    store.cut.add(node.mates[0] ?? node);
    inSeconds(trouble, 0.1, 12, () => store.heal());
  },
  "death of the witness": (trouble) => {
    const { coupling } = trouble.prng.pick(trouble.world.nodes);
    coupling?.wishes?.witness.die();
    inSeconds(trouble, 0.05, 3, () => coupling?.wishes?.witnessStarted());
  },
  "the supervisor is busy": (trouble) => {
    const wishes = trouble.prng.pick(trouble.world.nodes).coupling?.wishes;
    if (wishes === undefined) return;
    wishes.mailMax = trouble.prng.between(0.01, 2) * SLOWEST;
    inSeconds(trouble, 0.5, 12, () => wishes.heal());
  },
  "another program has the packet filter": (trouble) => {
    const wishes = trouble.prng.pick(trouble.world.nodes).coupling?.wishes;
    if (wishes === undefined) return;
    wishes.shutMax = trouble.prng.between(0.01, 1) * SLOWEST;
    inSeconds(trouble, 0.5, 12, () => wishes.heal());
  },
  "nobody hears anybody": (trouble) => {
    const { world } = trouble;
    for (const from of world.nodes) {
      for (const to of paths(world, from)) world.segment.path(from, to).loss = 1;
    }
    inSeconds(trouble, 5, 40, () => world.segment.heal());
  },
  "the holder does not reach the store": (trouble, store) => {
    const holder = trouble.world.nodes.find(({ state }) => state.kind === "active");
    if (holder === undefined) return;
    store.cut.add(holder.mates[0] ?? holder);
    inSeconds(trouble, 1, 12, () => store.heal());
  },
  "the holder loses the store and stands still": (trouble, store) => {
    const { world } = trouble;
    const holder = world.nodes.find(({ state }) => state.kind === "active");
    if (holder === undefined) return;
    store.cut.add(holder.mates[0] ?? holder);
    inSeconds(trouble, 0.1, 4, () => {
      stall(world, holder);
      inSeconds(trouble, 0.2, 2, () => resume(world, holder));
    });
    inSeconds(trouble, 4, 12, () => store.heal());
  },
  "the active host is cut off from everything": (trouble, store) => {
    const { world } = trouble;
    const active = world.nodes.filter(({ state }) => state.kind === "active");
    for (const node of active) {
      store.cut.add(node.mates[0] ?? node);
      for (const other of paths(world, node)) {
        world.segment.path(node, other).loss = 1;
        world.segment.path(other, node).loss = 1;
      }
    }
    inSeconds(trouble, 1, 12, () => {
      world.segment.heal();
      store.heal();
    });
  },
  "stall of the witness": (trouble) => {
    const node = trouble.prng.pick(trouble.world.nodes);
    pauseWitness(node);
    inSeconds(trouble, 0.1, 8, () => node.coupling?.wishes?.witness.resume());
  },
};

/** Where hosts turn each other off. */
type FenceFault = (trouble: Trouble, fences: Fences) => void;

const FENCE_FAULTS: Readonly<Record<string, FenceFault>> = {
  "fence agents fail": (trouble, fences) => breakFences(trouble, fences, "fails"),
  "fence agents hang": (trouble, fences) => breakFences(trouble, fences, "hangs"),
};

function breakFences(trouble: Trouble, fences: Fences, kind: FenceTrouble): void {
  const node = trouble.prng.pick(trouble.world.nodes);
  const host = node.mates[0] ?? node;
  fences.trouble.set(host, kind);
  inSeconds(trouble, 1, 20, () => fences.trouble.delete(host));
}

/** What it needs, with a lease of another kind, without failsafe, without anything. */
function drawRules(prng: Prng, { lease, fences }: MandateRules): MandateRules | undefined {
  if (lease === undefined || prng.chance(0.5)) return undefined;
  const mode = prng.chance(0.7) ? "advisory" : "required";
  return { lease: { ...lease, mode, failsafe: lease.failsafe && prng.chance(0.5) }, fences };
}

/** One host after the other, or all at once, need something else, and again what they needed before. */
function reloadMandates(trouble: Trouble): void {
  const { world, prng } = trouble;
  const all = [...new Set(world.nodes.map(({ coupling }) => coupling?.wishes))];
  const one = prng.pick(all);
  for (const wishes of prng.chance(0.5) ? all : [one]) {
    if (wishes === undefined) continue;
    const change = () => wishes.configure(drawRules(prng, wishes.drawn));
    if (prng.chance(0.5)) change();
    else inSeconds(trouble, 0, 2, change);
    inSeconds(trouble, 2, 8, () => wishes.configure(wishes.drawn));
  }
}

/** Of the faults where reloads are about mandates. */
const RELOAD_PART = 0.15;

/** Of the faults where hosts turn each other off. */
const FENCE_PART = 0.2;

const FAULT_NAMES = Object.keys(FAULTS);
const STORE_FAULT_NAMES = Object.keys(STORE_FAULTS);
const FENCE_FAULT_NAMES = Object.keys(FENCE_FAULTS);

/** So many times as many faults where all of them are about the store: most are over in seconds. */
const FULL = 4;

/** A flood is as much work as all else; on the way to many faults there are fewer of them. */
const RARE = { name: "provoking flood", part: 1 / 8 };

export function drawFault(trouble: Trouble, fewFloods = false): Fault {
  const { prng, storePart, reloads } = trouble;
  const { store, fences } = trouble.world;
  if (reloads && prng.chance(RELOAD_PART)) return reloadMandates;
  if (fences !== undefined && prng.chance(FENCE_PART)) {
    const broken = FENCE_FAULTS[prng.pick(FENCE_FAULT_NAMES)];
    if (broken !== undefined) return () => broken(trouble, fences);
  }
  if (store !== undefined && prng.chance(storePart)) {
    const broken = STORE_FAULTS[prng.pick(STORE_FAULT_NAMES)];
    if (broken !== undefined) return () => broken(trouble, store);
  }
  const name = prng.pick(FAULT_NAMES);
  const again = fewFloods && name === RARE.name && !prng.chance(RARE.part);
  const fault = again ? undefined : FAULTS[name];
  return fault ?? drawFault(trouble, fewFloods);
}

/** Puts a number of random faults into the time before `end`; answers how many. */
export function scheduleFaults(trouble: Trouble, end: number): number {
  const { world, prng } = trouble;
  const count = Math.ceil(
    prng.whole(4, 12) * (world.store === undefined ? 1 : FULL * trouble.storePart),
  );
  for (let i = 0; i < count; i++) {
    const fault = drawFault(trouble);
    world.at(prng.between(0, end), () => fault(trouble));
  }
  return count;
}

/** Ends every fault: all agents run, all links are up, no packet is lost. */
export function healAll(world: World): void {
  world.segment.heal();
  world.store?.heal();
  world.fences?.heal();
  if (world.store !== undefined) world.store.sound = true;
  for (const node of world.nodes) {
    world.setLink(node, true);
    resume(world, node);
    start(world, node);
    const wishes = node.coupling?.wishes;
    wishes?.witnessStarted();
    wishes?.heal();
    if (wishes !== undefined && wishes.rules !== wishes.drawn) wishes.configure(wishes.drawn);
  }
}
