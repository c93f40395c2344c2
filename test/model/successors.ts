import { micros } from "../../agent/core/time.ts";
import type { VrrpEffect } from "../../agent/core/vrrp/effect.ts";
import type { VrrpEvent } from "../../agent/core/vrrp/event.ts";
import { leaseOf } from "../../agent/core/vrrp/lease.ts";
import { INITIAL } from "../../agent/core/vrrp/state.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import { SILENT_PROBES } from "../sim/gate.ts";
import type { SimulatedMachine } from "../sim/machine.ts";
import type { ModelNode, ModelWorld, Packet } from "./world.ts";
import {
  addressOf,
  DEAD,
  DOWN_TIMER_ADVERTS,
  INTERVAL,
  isReachable,
  LONG_AGO,
  later,
  NOW,
  OVER,
  TICK,
  ticksLater,
} from "./world.ts";

/** A socket's buffer: what comes after is lost. Few are needed to hide who took over. */
const INBOX = 2;

const LEASE = leaseOf(micros(INTERVAL), DOWN_TIMER_ADVERTS);
const LENGTH = (LEASE?.length ?? 0) / TICK;
/** The kernel always shuts as late as it may. */
const MARGIN = (LEASE?.margin ?? 0) / TICK;

/** What one tick may do: who dies or starts, and in which order those that run do so. */
export interface Choice {
  readonly fault: { readonly kind: "kill" | "start"; readonly node: number } | undefined;
  /** Nodes that run in this tick, in order; the others are stalled for it. */
  readonly running: readonly number[];
  /** What is sent in this tick arrives within it; else before anything happens in the next one. */
  readonly prompt: boolean;
}

/** Every way in which the next tick may go. */
export function choices({ nodes, faults }: ModelWorld): readonly Choice[] {
  const changes: Choice["fault"][] = [undefined];
  if (faults > 0) {
    for (const [at, { alive }] of nodes.entries()) {
      changes.push({ kind: alive ? "kill" : "start", node: at });
    }
  }
  return changes.flatMap((fault) => {
    const alive = nodes.flatMap((node, at) => {
      const changed = fault?.node === at;
      return (changed ? !node.alive : node.alive) ? [at] : [];
    });
    return orders(alive).flatMap((running) =>
      (running.length > 1 ? [true, false] : [true]).map((prompt) => ({ fault, running, prompt })),
    );
  });
}

/** All ordered choices of some of them. */
function orders(all: readonly number[]): readonly (readonly number[])[] {
  return [
    [],
    ...all.flatMap((first) =>
      orders(all.filter((one) => one !== first)).map((rest) => [first, ...rest]),
    ),
  ];
}

/** One tick of a world, on the production machine or a mutant of it. */
export class Tick {
  readonly #routers: readonly VirtualRouter[];
  readonly #machine: SimulatedMachine;
  #nodes: ModelNode[] = [];

  constructor(routers: readonly VirtualRouter[], machine: SimulatedMachine) {
    this.#routers = routers;
    this.#machine = machine;
  }

  /** The world a tick later. */
  run({ nodes, faults }: ModelWorld, { fault, running, prompt }: Choice): ModelWorld {
    this.#nodes = nodes.map(oneTickOn);
    if (fault !== undefined) this.#suffer(fault);
    const waiting = this.#nodes.map(({ inbox }) => inbox.length);
    for (const at of running) this.#wake(at, prompt ? undefined : waiting[at]);
    // Nobody asks on behalf of one that is stalled; what it had been told counts no more.
    for (const [at, node] of this.#nodes.entries()) {
      if (!running.includes(at) && node.silences !== null) this.#put(at, { silences: 0 });
    }
    return { nodes: this.#nodes, faults: faults - (fault === undefined ? 0 : 1) };
  }

  #suffer({ kind, node: at }: NonNullable<Choice["fault"]>): void {
    if (kind === "kill") {
      // The kernel keeps the address, and its gate.
      const { installed, gate } = this.#node(at);
      this.#nodes[at] = { ...DEAD, installed, gate };
      return;
    }
    // A starting agent removes first of all what is left of an earlier one.
    this.#nodes[at] = { ...DEAD, alive: true, state: INITIAL };
    this.#step(at, { kind: "startup" });
  }

  /**
   * A turn of its event loop: packets first, so many of them as have arrived, then what is due, then what
   * it asked the segment.
   */
  #wake(at: number, arrived: number | undefined): void {
    const { inbox } = this.#node(at);
    const heard = inbox.slice(0, arrived);
    this.#put(at, { inbox: inbox.slice(heard.length) });
    for (const packet of heard)
      this.#step(at, { kind: "advertisement", advertisement: advert(packet) });
    const due = this.#machine.deadline(this.#node(at).state);
    if (due !== undefined && due <= NOW) this.#step(at, { kind: "tick" });
    this.#ask(at);
  }

  #ask(at: number): void {
    const { state, silences } = this.#node(at);
    if (silences === null) return;
    if (state.kind !== "active" || state.contest === undefined) {
      this.#put(at, { silences: null });
      return;
    }
    const answered = this.#nodes.some((other, index) => index !== at && isReachable(other));
    const count = answered ? 0 : silences + 1;
    this.#put(at, { silences: count });
    if (count < SILENT_PROBES) return;
    this.#put(at, { silences: null });
    this.#step(at, { kind: "holder-silent" });
  }

  #step(at: number, event: VrrpEvent): void {
    const router = this.#routers[at];
    if (router === undefined) return;
    const { state, effects } = this.#machine.step(router, this.#node(at).state, event, NOW);
    this.#put(at, { state });
    let lapsed = false;
    for (const effect of effects) lapsed = this.#execute(at, effect) || lapsed;
    if (lapsed) this.#step(at, { kind: "lease-lapsed" });
  }

  /** Answers whether the gate had shut before this advertisement; as the runtime's gatekeeper does. */
  #execute(at: number, effect: VrrpEffect): boolean {
    switch (effect.kind) {
      case "install-addresses":
        this.#put(at, { installed: true });
        return false;
      case "remove-addresses":
        this.#put(at, { installed: false, gate: 0, lease: null, silences: null });
        return false;
      case "open-addresses":
        this.#open(at);
        return false;
      case "probe-holder":
        this.#put(at, { gate: 0, lease: null, silences: 0 });
        return false;
      case "send-advertisement":
        return this.#advertise(at, effect.priority);
      default:
        return false;
    }
  }

  #advertise(at: number, priority: number): boolean {
    const packet: Packet = { from: at, priority };
    for (const [to, { alive, inbox }] of this.#nodes.entries()) {
      if (to === at || !alive || inbox.length >= INBOX) continue;
      this.#put(to, { inbox: [...inbox, packet] });
    }
    const { lease, state } = this.#node(at);
    if (state.kind !== "active") return false;
    this.#put(at, { advertised: 0 });
    if (lease === null) return false;
    if (lease >= 0) {
      this.#open(at);
      return false;
    }
    this.#put(at, { gate: 0, lease: null });
    return true;
  }

  #open(at: number): void {
    const { advertised } = this.#node(at);
    if (advertised === null) return;
    const lease = advertised + LENGTH;
    this.#put(at, { lease, gate: Math.max(0, lease + MARGIN) });
  }

  #node(at: number): ModelNode {
    return this.#nodes[at] ?? DEAD;
  }

  #put(at: number, change: Partial<ModelNode>): void {
    this.#nodes[at] = { ...this.#node(at), ...change };
  }
}

const advert = ({ from, priority }: Packet) => ({
  priority,
  source: addressOf(from),
  maxAdvertiseInterval: micros(INTERVAL),
});

const oneTickOn = (node: ModelNode): ModelNode => ({
  ...node,
  state: later(node.state),
  gate: Math.max(0, node.gate - 1),
  lease: ticksLater(node.lease, OVER),
  advertised: ticksLater(node.advertised, LONG_AGO),
});

/** For a first world: everybody starts in the same tick. */
export const beginning = (count: number, faults: number): ModelWorld => ({
  nodes: Array.from({ length: count }, () => DEAD),
  faults: faults + count,
});
