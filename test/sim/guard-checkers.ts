import type { VrrpEffect } from "../../agent/core/vrrp/effect.ts";
import { GRACE } from "../../agent/core/vrrp/mandate.ts";
import type { MakeChecker } from "./checker.ts";
import { ignore, Violation } from "./checker.ts";
import type { Node } from "./node.ts";
import type { Sessions } from "./sessions.ts";
import type { Wishes } from "./wishes.ts";

type Reason = Extract<VrrpEffect, { readonly kind: "transition" }>["reason"];

/** Letters between processes, late event loops, and a gate that is shut: all the while that nothing is broken. */
const SLACK = 50_000;

/** As production goes on calling a holder after the store's last word of it. */
const LONGEST_CALLING = 5_000_000;

/** Who asks for these was told of the addresses a moment ago: nobody is fenced. */
const HEARD: ReadonlySet<Reason> = new Set(["active-resigned", "preemption"]);

const hostOf = (node: Node): Node => node.mates[0] ?? node;

/** It has the addresses, or does not know yet that it has lost them. */
const holds = (node: Node, time: number): boolean =>
  node.powered && ((node.alive && node.state.kind === "active") || node.addresses.there(time));

/**
 * Before addresses are taken from a node that is silent it is off. Who resigned, or is preempted, is not turned
 * off, as it was heard a moment ago; and of whoever takes over from the same one at the same time nobody knows.
 */
const silentIsOff: MakeChecker = (trial) => {
  const { world, scenario } = trial;
  const fences = scenario.mandate?.fences === true;
  const heardAt = new Map<Node, number>();
  const free = new Set<Node>();
  /** Who takes over now was told by one who lives that it may. */
  const wasTold = (node: Node, reason: Reason, time: number): boolean => {
    if (!HEARD.has(reason)) return false;
    const told = heardAt.get(hostOf(node)) ?? Number.NEGATIVE_INFINITY;
    const patience = (node.router.downTimerAdverts + 2) * scenario.longestInterval;
    // The holder is called for as long as the store says that there is one, and yields in silence.
    if (reason === "preemption") {
      const ttl = scenario.mandate?.lease?.ttl ?? 0;
      return time - told <= 2 * patience + ttl + LONGEST_CALLING + SLACK;
    }
    const { taken } = node.coupling?.wishes ?? {};
    return taken === undefined || taken.until - Math.max(taken.since, told) <= 2 * patience + SLACK;
  };
  return {
    heard(node, _, time) {
      heardAt.set(hostOf(node), time);
    },
    effect(node, effect, time) {
      if (!fences || effect.kind !== "transition" || effect.to !== "active") return;
      note(node, free);
      if (isFree(node) || wasTold(node, effect.reason, time)) return;
      for (const other of world.nodes) {
        if (other.lan !== node.lan || other === node || !holds(other, time)) continue;
        if (free.has(other)) continue;
        const message = `${node.name} took over (${effect.reason}), and ${other.name} is not off`;
        throw new Violation("silent-is-off", time, message);
      }
    },
    settled: ignore,
  };
};

/** A reload has freed it for a while, and it fences nobody. */
const isFree = ({ coupling }: Node): boolean => coupling?.wishes?.mandated === false;

/** Whether it was free when it became active. */
function note(node: Node, free: Set<Node>): void {
  if (isFree(node)) free.add(node);
  else free.delete(node);
}

/** Those of whom hosts reach two at once: they are on one segment, and both let hosts in. */
function* pairsInside(nodes: readonly Node[], time: number): Generator<readonly [Node, Node]> {
  const inside = nodes.filter((node) => node.letsIn(time));
  for (const [index, a] of inside.entries()) {
    for (const b of inside.slice(index + 1)) if (a.lan === b.lan) yield [a, b];
  }
}

/** Where all fence one host at most is reachable, whatever is lost: but where the later one had heard of the other. */
const oneWithFence: MakeChecker = ({ world, scenario }) => {
  const fences = scenario.mandate?.fences === true;
  /** Why and when each became active last. */
  const claims = new Map<Node, { readonly at: number; readonly reason: Reason }>();
  const free = new Set<Node>();
  const laterOf = (a: Node, b: Node): Reason | undefined => {
    const [first, second] = [claims.get(a), claims.get(b)];
    return (first?.at ?? 0) > (second?.at ?? 0) ? first?.reason : second?.reason;
  };
  return {
    effect(node, effect, time) {
      if (effect.kind !== "transition" || effect.to !== "active") return;
      claims.set(node, { at: time, reason: effect.reason });
      note(node, free);
    },
    settled(time) {
      if (!fences) return;
      for (const [a, b] of pairsInside(world.nodes, time)) {
        if (free.has(a) || free.has(b)) continue;
        const reason = laterOf(a, b);
        if (reason !== undefined && HEARD.has(reason)) continue;
        throw new Violation("one-with-fence", time, `${a.name} and ${b.name} both let hosts in`);
      }
    },
  };
};

/** Nobody is turned off in a group that has settled, nor by one that heard the active router resign. */
const noNeedlessFence: MakeChecker = (trial) => {
  /** When it had settled for the first time, and what had been done by then. */
  let calm: { readonly since: number; readonly begun: number } | undefined;
  const lastHeard = new Map<Node, number>();
  return {
    heard(node, { priority }) {
      lastHeard.set(hostOf(node), priority);
    },
    effect: ignore,
    settled(time) {
      const { fences } = trial.world;
      const { quietSince: since } = trial;
      if (fences === undefined || since === undefined) return;
      if (calm === undefined && time < since + trial.scenario.settleTime) return;
      calm ??= { since, begun: fences.begun };
      if (fences.begun === calm.begun || fences.lastBy === undefined) return;
      // One packet may overtake the other: who hears an older word last takes the other one for silent.
      if (since !== calm.since && lastHeard.get(fences.lastBy) !== 0) return;
      throw new Violation("no-needless-fence", time, `${fences.lastBy.name} turns others off`);
    },
  };
};

/** Since when something has been so of each host, in true time. */
class Since {
  readonly #since = new Map<Node, number>();

  note(host: Node, is: boolean, time: number): void {
    if (!is) this.#since.delete(host);
    else if (!this.#since.has(host)) this.#since.set(host, time);
  }

  get(host: Node): number {
    return this.#since.get(host) ?? Number.POSITIVE_INFINITY;
  }
}

/** One host that goes on without the store, as it is looked at. */
interface GoingOn {
  readonly host: Node;
  readonly wishes: Wishes;
  readonly sessions: Sessions;
  readonly time: number;
  /** Since when, and since when its vrrp process has run. */
  readonly since: number;
  readonly runsSince: number;
  /** The longest time between two requests. */
  readonly patience: number;
}

/** What a host that goes on without the store must not be without; `undefined`: all is as it was promised. */
function whyNot({
  host,
  wishes,
  sessions,
  time,
  since,
  runsSince,
  patience,
}: GoingOn): string | undefined {
  const { witness, mailUntil, deadline } = wishes;
  if (since === time && host.local(time) > deadline) return "had no lease to go on from";
  const longFor = (from: number): boolean => time - Math.max(from, runsSince) > SLACK;
  if (longFor(sessions.dueAt(host))) return "does not hear one of its sessions";
  if (since < witness.answeredAt && longFor(Math.max(witness.answeredAt, mailUntil))) {
    return "has been answered by the store";
  }
  const asked = Math.max(witness.askedAt, witness.runsSince, mailUntil, runsSince);
  return (time - asked) * host.clockRate > patience ? "does not ask the store any more" : undefined;
}

/**
 * Who goes on without the store had the lease when it began to; its last request was in vain; and none of its BFD
 * sessions is silent.
 */
const failsafeByTheWord: MakeChecker = ({ world, scenario }) => {
  const lease = scenario.mandate?.lease;
  const hosts = [...new Set(world.nodes.map(hostOf))];
  const [goesOn, runs] = [new Since(), new Since()];
  return {
    effect: ignore,
    settled(time) {
      const { sessions } = world;
      if (lease === undefined || sessions === undefined) return;
      const patience = lease.renewEvery + lease.requestTime + SLACK;
      for (const host of hosts) {
        const wishes = host.coupling?.wishes;
        runs.note(host, host.running, time);
        goesOn.note(host, wishes?.failsafe === true, time);
        if (wishes?.failsafe !== true) continue;
        const [since, runsSince] = [goesOn.get(host), runs.get(host)];
        const why = whyNot({ host, wishes, sessions, time, since, runsSince, patience });
        if (why === undefined) continue;
        throw new Violation("failsafe-by-the-word", time, `${host.name} goes on, and ${why}`);
      }
    },
  };
};

/**
 * I2, where it is softened: two hosts are reachable only while one of them goes on without the store, or as long
 * as the gate is open that it opened then.
 */
const oneButForFailsafe: MakeChecker = ({ world, scenario }) => {
  const failsafe = scenario.mandate?.lease?.failsafe === true;
  /** Until when a gate may be open that was opened without a lease. */
  const excused = new Map<Node, number>();
  const isExcused = (node: Node, time: number): boolean =>
    (excused.get(node) ?? 0) >= time || node.coupling?.wishes?.isBound(time) !== true;
  return {
    effect: ignore,
    settled(time) {
      if (!failsafe) return;
      for (const node of world.nodes) {
        if (node.coupling?.wishes?.failsafe === true) excused.set(node, node.gate.shutAt);
      }
      for (const [a, b] of pairsInside(world.nodes, time)) {
        if (isExcused(a, time) || isExcused(b, time)) continue;
        const message = `${a.name} and ${b.name} both let hosts in, and neither is failsafe`;
        throw new Violation("one-but-for-failsafe", time, message);
      }
    },
  };
};

/** Whoever is active when a reload asks for a mandate stays so until the store has answered, or for its time. */
const reloadsCostNothing: MakeChecker = () => ({
  effect(node, effect, time) {
    const kept = node.coupling?.wishes?.kept;
    if (effect.kind !== "transition" || effect.from !== "active" || kept === undefined) return;
    if (effect.reason !== "mandate-lost") return;
    if ((time - kept) * node.clockRate >= GRACE - SLACK) return;
    const millis = Math.round((time - kept) / 1000);
    const message = `${node.name} left ${millis} ms after a reload that asks for a mandate`;
    throw new Violation("reloads-cost-nothing", time, message);
  },
  settled: ignore,
});

/** Nobody is active who was told that somebody else has the lease. */
const takenIsHeard: MakeChecker = ({ world }) => ({
  effect: ignore,
  settled(time) {
    for (const node of world.nodes) {
      const { taken, rules } = node.coupling?.wishes ?? {};
      if (rules?.lease === undefined || taken?.still !== true || taken.until !== time) continue;
      if (!node.running || node.state.kind !== "active") continue;
      const message = `${node.name} is active, and was told that somebody else has the lease`;
      throw new Violation("taken-is-heard", time, message);
    }
  },
});

/** Of whoever needs a lease the gate is open only while the store has it as his, or by failsafe. */
const insideHasTheLease: MakeChecker = ({ world }) => {
  const excused = new Map<Node, number>();
  return {
    effect: ignore,
    settled(time) {
      for (const node of world.nodes) {
        const wishes = node.coupling?.wishes;
        if (wishes?.failsafe === true) excused.set(node, node.gate.shutAt);
        if (wishes === undefined || !wishes.isBound(time) || !node.letsIn(time)) continue;
        if (wishes.store.holds(hostOf(node)) || (excused.get(node) ?? 0) >= time) continue;
        throw new Violation("inside-has-the-lease", time, `${node.name} lets hosts in without it`);
      }
    },
  };
};

export const GUARD_CHECKERS: readonly MakeChecker[] = [
  insideHasTheLease,
  takenIsHeard,
  reloadsCostNothing,
  silentIsOff,
  oneWithFence,
  noNeedlessFence,
  failsafeByTheWord,
  oneButForFailsafe,
];
