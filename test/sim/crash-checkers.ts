import { seconds } from "../../agent/core/time.ts";
import { LATE_END } from "./addresses.ts";
import type { MakeChecker } from "./checker.ts";
import { ignore, Violation } from "./checker.ts";
import type { Node } from "./node.ts";

/** A late event loop. */
const SLACK = 20_000;

/** Since when nothing of a node's agent has been seen. */
function silences(nodes: readonly Node[]): (time: number) => ReadonlyMap<Node, number> {
  const since = new Map<Node, number>();
  return (time) => {
    for (const node of nodes) {
      if (node.running) since.delete(node);
      else if (!since.has(node)) since.set(node, time);
    }
    return since;
  };
}

/**
 * I5: what a dead agent left, or one that stands still, is gone when its lifetime is over, whatever the
 * supervisor does.
 */
export const nothingIsLeft: MakeChecker = ({ world }) => {
  const silent = silences(world.nodes);
  return {
    effect: ignore,
    settled(time) {
      for (const [node, since] of silent(time)) {
        const lifetime = node.addresses.there(time) ? node.addresses.lifetime : undefined;
        if (lifetime === undefined) continue;
        const limit = seconds(lifetime.seconds) + LATE_END;
        if ((time - since) * node.clockRate <= limit + SLACK) continue;
        const ago = ((time - since) / 1e6).toFixed(3);
        const message = `${node.name} has its addresses ${ago} s after its agent's last sign of life`;
        throw new Violation("nothing-is-left", time, message);
      }
    },
  };
};

/**
 * I2: where a lease is required, the addresses are reachable on one host at most, whatever is lost, stalls
 * or dies.
 */
export const oneWithLease: MakeChecker = ({ world, scenario }) => {
  const lease = scenario.mandate?.lease;
  // Where it is softened guard-checkers.ts says what is left of it.
  const required = lease?.mode === "required" && !lease.failsafe;
  return {
    effect: ignore,
    settled(time) {
      if (!required) return;
      const seen = new Map<number, Node>();
      for (const node of world.nodes) {
        // Whoever a reload has freed for a while is held by nothing.
        if (!node.letsIn(time) || node.coupling?.wishes?.isBound(time) !== true) continue;
        const other = seen.get(node.lan);
        if (other !== undefined) {
          const message = `${other.name} and ${node.name} both let hosts in`;
          throw new Violation("one-with-lease", time, message);
        }
        seen.set(node.lan, node);
      }
    },
  };
};

/** An address does not vanish while its gate lets frames in: hosts would be told that it is unknown. */
export const outlivesItsLease: MakeChecker = ({ world }) => ({
  effect: ignore,
  settled(time) {
    for (const node of world.nodes) {
      const { addresses, gate, router } = node;
      if (!router.fenced || gate.deadline === undefined || !addresses.installed) continue;
      if (addresses.there(time) || node.local(time) >= gate.deadline) continue;
      const message = `the kernel removed addresses of ${node.name} while their lease ran`;
      throw new Violation("outlives-its-lease", time, message);
    }
  },
});

export const CRASH_CHECKERS: readonly MakeChecker[] = [
  nothingIsLeft,
  oneWithLease,
  outlivesItsLease,
];
