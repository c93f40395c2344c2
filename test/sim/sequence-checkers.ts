import type { VrrpEffect } from "../../agent/core/vrrp/effect.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import type { MakeChecker } from "./checker.ts";
import { ignore, Violation } from "./checker.ts";
import type { Node } from "./node.ts";

type Kind = VrrpEffect["kind"];

/** What comes before the transition to active, in this order (RFC 9568 §6.4; the gate is ours). */
const CLAIMING: readonly Kind[] = ["send-advertisement", "install-addresses"];

/** What may come at any place. */
const BESIDE: ReadonlySet<Kind> = new Set(["alarm", "alarm-over", "request-active"]);

function orderFor({ router, state }: Node): readonly Kind[] {
  if (!router.fenced) return [...CLAIMING, "announce-addresses"];
  const probing = state.kind === "active" && state.contest?.probing === true;
  return probing ? [...CLAIMING, "probe-holder"] : CLAIMING;
}

/**
 * Becoming active advertises, installs, announces; who is fenced does not announce yet, and asks who
 * else may be reachable. Leaving removes before it tells the others.
 */
export const orderOfEffects: MakeChecker = () => {
  let batch: { node: Node; kinds: Kind[] } | undefined;
  return {
    effect(node, effect, time) {
      if (batch?.node !== node) batch = { node, kinds: [] };
      if (effect.kind !== "transition") {
        batch.kinds.push(effect.kind);
        return;
      }
      const claims = effect.to === "active";
      const all = batch.kinds.filter((kind) => !BESIDE.has(kind));
      const expected = orderFor(node);
      // Before it, at the same moment, it may have called a holder.
      const calls = Math.max(0, all.length - expected.length);
      const called = all.slice(0, calls).every((kind) => kind === "send-advertisement");
      const found = called ? all.slice(calls) : all;
      if (claims && found.join() !== expected.join()) {
        throw new Violation("order", time, `${node.name} became active by ${found.join(", ")}`);
      }
      if (effect.from === "active") checkRelease(node, batch.kinds, time);
    },
    settled() {
      batch = undefined;
    },
  };
};

function checkRelease(node: Node, kinds: readonly Kind[], time: number): void {
  const removed = kinds.indexOf("remove-addresses");
  if (removed < 0) throw new Violation("order", time, `${node.name} released without removing`);
}

/**
 * I4: in a settled group the last announcement on the segment is the active router's. A router that
 * yields says so to whoever is active then; where that packet was lost, nobody can know.
 */
export const lastAnnouncement: MakeChecker = (trial) => {
  const { world } = trial;
  /** By segment: who announced last, and whether the active router could know. */
  const last = new Map<number, { node: Node; told: boolean }>();
  // Also a paused one: it will go on where it was.
  const active = (lan: number): readonly Node[] =>
    world.nodes.filter((node) => node.lan === lan && node.alive && node.state.kind === "active");
  return {
    effect(node, effect) {
      const { lan } = node;
      if (effect.kind === "announce-addresses" && node.linkUp) last.set(lan, { node, told: false });
      const left = effect.kind === "transition" && effect.from === "active";
      if (!left || last.get(lan)?.node !== node) return;
      const reaches = (other: Node): boolean => world.segment.isClean(node, other);
      last.set(lan, { node, told: active(lan).every((other) => other === node || reaches(other)) });
    },
    settled(time) {
      const { quietSince, scenario } = trial;
      if (quietSince === undefined || time < quietSince + scenario.settleTime) return;
      for (const [lan, { node, told }] of last) {
        const holder = active(lan)[0];
        if (!told || holder === undefined || node === holder) continue;
        const message = `${node.name} announced last, but ${holder.name} is active`;
        throw new Violation("last-announcement", time, message);
      }
    },
  };
};

/**
 * A backup waits as many intervals as it was told to before it counts the active router as dead
 * (RFC 9568 §6.1), unless that one resigned or is to be preempted.
 */
export const patience: MakeChecker = () => {
  const accepted = new Map<Node, { at: number; interval: number }>();
  return {
    heard(node, { priority, maxAdvertiseInterval }, time) {
      const { router, state } = node;
      if (priority === 0) accepted.delete(node);
      else if (state.kind === "backup" && accepts(router, priority)) {
        const interval = router.version === 3 ? maxAdvertiseInterval : router.advertisementInterval;
        accepted.set(node, { at: time, interval });
      }
    },
    effect(node, effect, time) {
      if (effect.kind !== "transition") return;
      const last = accepted.get(node);
      accepted.delete(node);
      if (effect.to !== "active" || effect.reason !== "active-down-timer" || !last) return;
      const waited = (time - last.at) * node.clockRate + 10;
      const intervals = node.router.downTimerAdverts;
      if (waited < intervals * last.interval) {
        const millis = Math.round(waited / 1000);
        throw new Violation("patience", time, `${node.name} took over after ${millis} ms`);
      }
    },
    settled: ignore,
  };
};

/** A pending preempt_delay makes a lower priority count like any other. */
const accepts = (router: VirtualRouter, priority: number): boolean =>
  priority >= router.priority || !router.preempt || router.preemptDelay > 0;

/** A graceful stop tells the others: priority 0 leaves after the addresses are gone. */
export const farewell: MakeChecker = () => {
  let released = false;
  return {
    effect(node, effect, time) {
      if (effect.kind === "send-advertisement" && effect.priority === 0) released = true;
      if (effect.kind === "remove-addresses") released = false;
      if (effect.kind !== "transition") return;
      if (effect.from === "active" && effect.reason === "shutdown" && !released) {
        throw new Violation("farewell", time, `${node.name} stopped without priority 0`);
      }
    },
    settled: ignore,
  };
};

export const SEQUENCE_CHECKERS: readonly MakeChecker[] = [
  orderOfEffects,
  lastAnnouncement,
  patience,
  farewell,
];
