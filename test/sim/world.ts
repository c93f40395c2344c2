import type { Advertisement } from "../../agent/core/vrrp/advertisement.ts";
import type { VrrpEffect } from "../../agent/core/vrrp/effect.ts";
import type { VrrpEvent } from "../../agent/core/vrrp/event.ts";
import { INITIAL } from "../../agent/core/vrrp/state.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import { PROBE_SPAN, SILENT_PROBES } from "./gate.ts";
import type { SimulatedMachine } from "./machine.ts";
import type { Node } from "./node.ts";
import type { Prng } from "./prng.ts";
import { Queue } from "./queue.ts";
import type { Segment } from "./segment.ts";

/** Hears of everything that happens; the checkers are observers. */
export interface Observer {
  /** An advertisement is about to be handled. */
  heard?(node: Node, advertisement: Advertisement, time: number): void;
  effect(node: Node, effect: VrrpEffect, time: number): void;
  /** After an event was handled in full. */
  settled(time: number): void;
}

type Entry =
  | { readonly kind: "tick"; readonly node: Node; readonly number: number }
  | { readonly kind: "packet"; readonly to: Node; readonly event: VrrpEvent }
  | { readonly kind: "action"; readonly run: () => void };

/** A socket's receive buffer holds this many packets; the kernel drops what comes after. */
const INBOX_SIZE = 128;

/** The most that a healthy event loop is late, in microseconds. */
const TICK_JITTER = 1_500;

/** Routers on one segment under virtual time. Time moves only from one event to the next. */
export class World {
  now = 0;
  events = 0;
  readonly nodes: readonly Node[];
  readonly segment: Segment;
  readonly #machine: SimulatedMachine;
  readonly #prng: Prng;
  readonly #queue = new Queue<Entry>();
  #observers: readonly Observer[] = [];

  constructor(nodes: readonly Node[], segment: Segment, machine: SimulatedMachine, prng: Prng) {
    this.nodes = nodes;
    this.segment = segment;
    this.#machine = machine;
    this.#prng = prng;
  }

  observe(observers: readonly Observer[]): void {
    this.#observers = observers;
  }

  at(time: number, run: () => void): void {
    this.#queue.push(time, { kind: "action", run });
  }

  runUntil(end: number): void {
    for (;;) {
      const at = this.#queue.nextAt;
      if (at === undefined || at > end) break;
      this.now = at;
      const entry = this.#queue.pop();
      if (entry === undefined) break;
      this.#handle(entry);
      for (const observer of this.#observers) observer.settled(this.now);
    }
    this.now = end;
  }

  /** Starts the agent of the node's host. */
  start(node: Node): void {
    if (node.alive) return;
    node.coupling?.reset();
    for (const mate of node.mates) {
      mate.alive = true;
      mate.state = INITIAL;
      mate.inbox.length = 0;
      // A starting agent first removes what an earlier run left behind.
      mate.installed = false;
      mate.gate.shut();
    }
    for (const mate of node.mates) {
      this.#step(mate, { kind: "startup" });
      if (!mate.linkUp) this.#step(mate, { kind: "fault-raised", fault: linkFault });
    }
  }

  /** SIGKILL: no farewell, and the kernel keeps the addresses. */
  crash(node: Node): void {
    for (const mate of node.mates) {
      end(mate);
      mate.state = INITIAL;
    }
  }

  /** SIGTERM. */
  stop(node: Node): void {
    if (!node.running) return;
    for (const mate of node.mates) this.#step(mate, { kind: "shutdown" });
    for (const mate of node.mates) end(mate);
  }

  pause(node: Node): void {
    for (const mate of node.mates) mate.paused = mate.alive;
  }

  /** Drains what waited in the sockets before an expired deadline acts, as the runtime does. */
  resume(node: Node): void {
    const paused = node.mates.filter((mate) => mate.paused);
    for (const mate of paused) mate.paused = false;
    for (const mate of paused) for (const event of mate.inbox.splice(0)) this.#step(mate, event);
    for (const mate of paused) this.#step(mate, { kind: "tick" });
  }

  setLink(node: Node, up: boolean): void {
    if (node.linkUp === up) return;
    node.linkUp = up;
    if (!node.alive) return;
    this.#deliver(node, { kind: up ? "fault-cleared" : "fault-raised", fault: linkFault });
  }

  /** A packet from somebody outside the group reaches every router at once. */
  inject(advertisement: Advertisement): void {
    for (const node of this.nodes) {
      if (node.linkUp) this.#deliver(node, { kind: "advertisement", advertisement });
    }
  }

  /** A paused agent reads no configuration. */
  configure(node: Node, router: VirtualRouter): void {
    if (node.paused) return;
    const previous = node.router;
    node.router = router;
    if (node.alive) this.#deliver(node, { kind: "configured", previous });
  }

  #handle(entry: Entry): void {
    this.events++;
    if (entry.kind === "action") entry.run();
    else if (entry.kind === "packet") this.#deliver(entry.to, entry.event);
    else if (entry.number === entry.node.tickNumber && entry.node.running) {
      this.#step(entry.node, { kind: "tick" });
    }
  }

  #deliver(node: Node, event: VrrpEvent): void {
    if (!node.alive) return;
    if (!node.paused) {
      this.#step(node, event);
      return;
    }
    const isPacket = event.kind === "advertisement";
    if (!isPacket || node.inbox.length < INBOX_SIZE) node.inbox.push(event);
  }

  #step(node: Node, event: VrrpEvent): void {
    if (event.kind === "advertisement") {
      for (const observer of this.#observers) {
        observer.heard?.(node, event.advertisement, this.now);
      }
    }
    const before = node.state;
    const transition = this.#machine.step(node.router, before, event, node.local(this.now));
    node.state = transition.state;
    let lapsed = false;
    for (const effect of transition.effects) lapsed = this.#execute(node, effect) || lapsed;
    if (lapsed) this.#step(node, { kind: "lease-lapsed" });
    this.#schedule(node, event.kind === "tick");
    for (const order of node.coupling?.hear(node, before, transition) ?? []) {
      this.#step(order.member, order.event);
    }
  }

  /** A late event loop is late once for a deadline, however many packets come meanwhile. */
  #schedule(node: Node, anew: boolean): void {
    const at = this.#machine.deadline(node.state);
    if (at === node.tickAt && !anew) return;
    node.tickAt = at;
    node.tickNumber++;
    if (at === undefined) return;
    const due = Math.max(this.now, node.global(at)) + this.#prng.next() * TICK_JITTER;
    this.#queue.push(due, { kind: "tick", node, number: node.tickNumber });
  }

  /** Answers whether the gate had shut before this advertisement. */
  #execute(node: Node, effect: VrrpEffect): boolean {
    let lapsed = false;
    if (effect.kind === "install-addresses") node.installed = true;
    if (effect.kind === "open-addresses") node.gate.open(node, this.#prng);
    if (effect.kind === "probe-holder") this.#contest(node);
    if (effect.kind === "remove-addresses") {
      node.installed = false;
      node.gate.shut();
    }
    if (effect.kind === "send-advertisement") {
      this.#broadcast(node, effect.priority);
      lapsed = node.gate.advertised(node, node.local(this.now), this.#prng);
    }
    for (const observer of this.#observers) observer.effect(node, effect, this.now);
    return lapsed;
  }

  #contest(node: Node): void {
    const { gate } = node;
    gate.shut();
    gate.silent = 0;
    this.#probe(node, gate.contests);
  }

  /** Asks the segment who holds the addresses, as the runtime does with ARP, until nobody answers. */
  #probe(node: Node, contest: number): void {
    const answered = this.nodes.some((other) => other !== node && this.#answers(other, node));
    this.at(this.now + PROBE_SPAN, () => {
      const { gate, state } = node;
      if (gate.contests !== contest || state.kind !== "active" || !state.contest) return;
      // What was asked before a stall says nothing about now.
      gate.silent = answered || node.paused ? 0 : gate.silent + 1;
      if (gate.silent < SILENT_PROBES) this.#probe(node, contest);
      else this.#deliver(node, { kind: "holder-silent" });
    });
  }

  #answers(other: Node, asking: Node): boolean {
    if (!other.isReachable(this.now)) return false;
    const there = this.segment.deliveries(asking, other).length > 0;
    return there && this.segment.deliveries(other, asking).length > 0;
  }

  #broadcast(from: Node, priority: number): void {
    const advertisement = {
      priority,
      source: from.address,
      maxAdvertiseInterval: from.router.advertisementInterval,
    };
    for (const to of this.nodes) {
      if (to === from || !admits(to, from)) continue;
      for (const delay of this.segment.deliveries(from, to)) {
        const event: VrrpEvent = { kind: "advertisement", advertisement };
        this.#queue.push(this.now + delay, { kind: "packet", to, event });
      }
    }
  }
}

/** The agent is gone; nothing that was due happens any more. */
function end(node: Node): void {
  node.alive = false;
  node.paused = false;
  node.inbox.length = 0;
  node.tickAt = undefined;
  node.tickNumber++;
}

const linkFault = { cause: "interface-down", subject: "eth0" } as const;

/** Version 2 drops another interval (RFC 3768 §7.1), as the receive ladder would. */
function admits(to: Node, from: Node): boolean {
  if (to.router.version !== from.router.version) return false;
  if (to.router.version === 3) return true;
  return to.router.advertisementInterval === from.router.advertisementInterval;
}
