import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import type { MakeChecker, Trial } from "./checker.ts";
import { ignore, Violation } from "./checker.ts";
import type { Node } from "./node.ts";

/** Packets in flight and late event loops: how long good news may take, in microseconds. */
const SLACK = 8_000;

const isActive = (node: Node): boolean => node.running && node.state.kind === "active";

/** The routers of each segment. */
const segments = (nodes: readonly Node[]): readonly (readonly Node[])[] =>
  [...new Set(nodes.map((node) => node.lan))].map((lan) =>
    nodes.filter((node) => node.lan === lan),
  );

const settledSince = ({ quietSince, scenario }: Trial): number | undefined =>
  quietSince === undefined ? undefined : quietSince + scenario.settleTime;

/** A running agent has the addresses exactly while it is active; who stands still may lose them. */
const addressesFollowState: MakeChecker = ({ world }) => ({
  effect: ignore,
  settled(time) {
    for (const node of world.nodes) {
      if (!node.running) continue;
      const { addresses } = node;
      const there = addresses.installed && addresses.there(time);
      if (there === (node.state.kind === "active")) continue;
      const message = `${node.name} is ${node.state.kind} and ${there ? "has" : "lacks"} the addresses`;
      throw new Violation("addresses-follow-state", time, message);
    }
  },
});

/** A running agent whose link is gone claims nothing: it could not hear a better claim. */
const faultHolds: MakeChecker = ({ world }) => ({
  effect: ignore,
  settled(time) {
    for (const node of world.nodes) {
      if (isActive(node) && !node.linkUp) {
        throw new Violation("fault-holds", time, `${node.name} is active with its link down`);
      }
    }
  },
});

/**
 * Two active routers that hear each other agree within one interval of either (RFC 9568 §6.4.3:
 * the lower one yields to the higher one's next advertisement).
 */
const oneActive: MakeChecker = ({ world }) => {
  const watched = pairs(world.nodes);
  const inTouch = (a: Node, b: Node): boolean =>
    isActive(a) && isActive(b) && world.segment.isClean(a, b) && world.segment.isClean(b, a);
  return {
    effect: ignore,
    settled(time) {
      for (const pair of watched) {
        const { a, b } = pair;
        pair.since = inTouch(a, b) ? (pair.since ?? time) : undefined;
        if (pair.since === undefined) continue;
        const interval = Math.max(a.router.advertisementInterval, b.router.advertisementInterval);
        const slowest = Math.min(a.clockRate, b.clockRate);
        if ((time - pair.since) * slowest <= interval * 1.001 + SLACK) continue;
        const millis = Math.round((time - pair.since) / 1000);
        const message = `${a.name} and ${b.name} both active for ${millis} ms`;
        throw new Violation("one-active", time, message);
      }
    },
  };
};

/** Two routers, and since when something is so between them. */
interface Pair {
  readonly a: Node;
  readonly b: Node;
  since: number | undefined;
}

/** Every two of a segment. */
const pairs = (nodes: readonly Node[]): readonly Pair[] =>
  nodes.flatMap((a, index) =>
    nodes.slice(index + 1).flatMap((b) => (a.lan === b.lan ? { a, b, since: undefined } : [])),
  );

/**
 * I1: the addresses are reachable on one node at most, whatever stalls or dies, preemption included, as
 * long as advertisements are delivered and the group shares its intervals.
 */
const oneReachable: MakeChecker = ({ world, scenario }) => {
  const watched = pairs(world.nodes).filter(({ a, b }) => a.router.fenced && b.router.fenced);
  // Longer ago than anything that a router goes by: its down interval, or a lease.
  const memory = ({ router }: Node): number =>
    (2 * router.downTimerAdverts + 3) * scenario.longestInterval;
  const inTouch = (a: Node, b: Node): boolean =>
    a.router.advertisementInterval === b.router.advertisementInterval &&
    world.segment.isClean(a, b) &&
    world.segment.isClean(b, a);
  return {
    effect: ignore,
    settled(time) {
      for (const pair of watched) {
        const { a, b } = pair;
        pair.since = inTouch(a, b) ? (pair.since ?? time) : undefined;
        if (pair.since === undefined || time - pair.since < memory(a)) continue;
        if (!a.isReachable(time) || !b.isReachable(time)) continue;
        throw new Violation("one-reachable", time, `hosts reach both ${a.name} and ${b.name}`);
      }
    },
    skipped(span) {
      for (const pair of watched) if (pair.since !== undefined) pair.since -= span;
    },
  };
};

/** Once settled, the active router is the one that hosts reach: its gate is open. */
const activeReachable: MakeChecker = (trial) => ({
  effect: ignore,
  settled(time) {
    const since = settledSince(trial);
    if (since === undefined || time < since) return;
    for (const node of trial.world.nodes) {
      if (!isActive(node) || node.isReachable(time)) continue;
      throw new Violation("active-reachable", time, `nobody reaches ${node.name}, which is active`);
    }
  },
});

/** I3: once faults stop, each segment has an active router, and keeps it. */
const someActive: MakeChecker = (trial) => {
  const all = segments(trial.world.nodes);
  return {
    effect: ignore,
    settled(time) {
      const since = settledSince(trial);
      if (since === undefined || time < since) return;
      if (all.every((nodes) => nodes.some(isActive))) return;
      throw new Violation("some-active", time, "no router is active although all are well");
    },
  };
};

/** The members of a sync group are active together or not at all. */
const coupled: MakeChecker = ({ world }) => {
  const groups = [...new Set(world.nodes.map(({ coupling }) => coupling))].flatMap((coupling) =>
    coupling !== undefined && coupling.members.length > 1 ? [coupling.members] : [],
  );
  return {
    effect: ignore,
    settled(time) {
      for (const members of groups) {
        if (!members.some(isActive) || members.every((node) => !node.running || isActive(node))) {
          continue;
        }
        const message = `the group of ${members[0]?.name} is active in part`;
        throw new Violation("coupled", time, message);
      }
    },
  };
};

/** Once settled, nothing changes any more: no flapping. */
const noFlapping: MakeChecker = (trial) => ({
  effect(node, effect, time) {
    const since = settledSince(trial);
    if (since === undefined || time < since || effect.kind !== "transition") return;
    throw new Violation(
      "no-flapping",
      time,
      `${node.name} went ${effect.from} → ${effect.to} (${effect.reason}) in a settled group`,
    );
  },
  settled: ignore,
});

/** Where all preempt, the settled active router has the highest priority. */
const highestWins: MakeChecker = (trial) => {
  const all = segments(trial.world.nodes);
  return {
    effect: ignore,
    settled(time) {
      const since = settledSince(trial);
      if (since === undefined || time < since) return;
      for (const segment of all) {
        const nodes = segment.filter((node) => node.running);
        if (nodes.some((node) => !node.router.preempt)) continue;
        const highest = Math.max(...nodes.map((node) => node.router.priority));
        const active = nodes.find(isActive);
        if (active === undefined || active.router.priority === highest) continue;
        const message = `${active.name} with ${active.router.priority} is active beside a ${highest}`;
        throw new Violation("highest-wins", time, message);
      }
    },
  };
};

/** An active router advertises in every interval; nothing that it hears delays it. */
const punctual: MakeChecker = ({ world }) => {
  const last = new Map<Node, { at: number; router: VirtualRouter }>();
  return {
    effect(node, effect, time) {
      if (effect.kind === "send-advertisement") last.set(node, { at: time, router: node.router });
    },
    settled(time) {
      for (const node of world.nodes) {
        const sent = last.get(node);
        if (!isActive(node)) last.delete(node);
        // A reload may shorten the interval; the new one counts from then.
        else if (sent?.router !== node.router) last.set(node, { at: time, router: node.router });
        else if ((time - sent.at) * node.clockRate > node.router.advertisementInterval + SLACK) {
          const millis = Math.round((time - sent.at) / 1000);
          throw new Violation("punctual", time, `${node.name} was silent for ${millis} ms`);
        }
      }
    },
  };
};

/** What others send provokes at most one advertisement in 10 ms. */
const noStorm: MakeChecker = () => {
  const recent = new Map<Node, number[]>();
  return {
    effect(node, effect, time) {
      // Each change of state has advertisements of its own.
      if (effect.kind === "transition") recent.delete(node);
      if (effect.kind !== "send-advertisement") return;
      const times = recent.get(node) ?? [];
      while (times[0] !== undefined && times[0] <= time - 1_000_000) times.shift();
      times.push(time);
      recent.set(node, times);
      const most = 1.01 * (1_000_000 / node.router.advertisementInterval) + 102;
      if (times.length > most) {
        throw new Violation("no-storm", time, `${node.name}: ${times.length} in one second`);
      }
    },
    settled: ignore,
  };
};

export const CHECKERS: readonly MakeChecker[] = [
  addressesFollowState,
  faultHolds,
  oneActive,
  oneReachable,
  activeReachable,
  someActive,
  coupled,
  noFlapping,
  highestWins,
  punctual,
  noStorm,
];
