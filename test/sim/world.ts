import type { Instant } from "../../agent/core/time.ts";
import type { Advertisement } from "../../agent/core/vrrp/advertisement.ts";
import type { VrrpEffect } from "../../agent/core/vrrp/effect.ts";
import type { VrrpEvent } from "../../agent/core/vrrp/event.ts";
import type { Lifetime } from "../../agent/core/vrrp/lifetime.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import { MANDATE_GATE_MARGIN } from "../../agent/core/witness/gate-margin.ts";
import type { Fences } from "./fences.ts";
import type { Opener } from "./gate.ts";
import { PROBE_SPAN, SILENT_PROBES } from "./gate.ts";
import type { SimulatedMachine } from "./machine.ts";
import type { Node } from "./node.ts";
import type { Prng } from "./prng.ts";
import { Queue } from "./queue.ts";
import type { Segment } from "./segment.ts";
import type { Sessions } from "./sessions.ts";
import type { Store } from "./store.ts";

/** Hears of everything that happens; the checkers are observers. */
export interface Observer {
  /** An advertisement is about to be handled. */
  heard?(node: Node, advertisement: Advertisement, time: number): void;
  effect(node: Node, effect: VrrpEffect, time: number): void;
  /** After an event was handled in full. */
  settled(time: number): void;
  /** So much time passed as the time before it did. */
  skipped?(span: number): void;
}

type Entry =
  | { readonly kind: "tick"; readonly node: Node; readonly number: number }
  | { readonly kind: "packet"; readonly to: Node; readonly event: VrrpEvent }
  | { readonly kind: "refresh"; readonly node: Node; readonly chain: number }
  | { readonly kind: "action" | "later"; readonly run: () => void };

/** A socket's receive buffer holds this many packets; the kernel drops what comes after. */
const INBOX_SIZE = 128;

/** The most that a healthy event loop is late, in microseconds. */
const TICK_JITTER = 1_500;

/** Whatever is under way for longer than this is late, microseconds. */
const SOON = 5_000;

/** Routers on one segment under virtual time. Time moves only from one event to the next. */
export class World {
  now = 0;
  events = 0;
  /** Actions that are still to come: misfortunes, and their ends. */
  pending = 0;
  /** When the last of what takes long on its way arrives. */
  arrivals = 0;
  /** Nothing is late, and nothing is drawn: each interval passes as the one before. */
  calm = false;
  /** Whom hosts ask for leave, where they need one. */
  store: Store | undefined;
  /** What they turn each other off with, and by which they know that the others live, where they do. */
  fences: Fences | undefined;
  sessions: Sessions | undefined;
  readonly nodes: readonly Node[];
  readonly segment: Segment;
  readonly prng: Prng;
  readonly #machine: SimulatedMachine;
  readonly #queue = new Queue<Entry>();
  #observers: readonly Observer[] = [];

  constructor(nodes: readonly Node[], segment: Segment, machine: SimulatedMachine, prng: Prng) {
    this.nodes = nodes;
    this.segment = segment;
    this.#machine = machine;
    this.prng = prng;
  }

  observe(observers: readonly Observer[]): void {
    this.#observers = observers;
  }

  at(time: number, run: () => void): void {
    this.pending += 1;
    this.#queue.push(time, { kind: "action", run });
  }

  /** As `at`, of what goes on anyway. */
  after(delay: number, run: () => void): void {
    this.#queue.push(this.now + delay, { kind: "later", run });
  }

  /** Something under way: a packet, a letter, a request. */
  travel(delay: number, arrive: () => void): void {
    if (delay > SOON) this.arrivals = Math.max(this.arrivals, this.now + delay);
    this.after(delay, arrive);
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

  setCalm(calm: boolean): void {
    this.calm = calm;
    this.segment.calm = calm;
  }

  /** Time that passes as the time before it did is not gone through. */
  skip(span: number): void {
    for (const observer of this.#observers) observer.skipped?.(span);
  }

  setLink(node: Node, up: boolean): void {
    if (node.linkUp === up) return;
    node.linkUp = up;
    if (!node.alive) return;
    this.deliver(node, { kind: up ? "fault-cleared" : "fault-raised", fault: linkFault });
  }

  /** A packet from somebody outside the group reaches every router at once. */
  inject(advertisement: Advertisement): void {
    for (const node of this.nodes) {
      if (node.linkUp) this.deliver(node, { kind: "advertisement", advertisement });
    }
  }

  /** A paused agent reads no configuration. */
  configure(node: Node, router: VirtualRouter): void {
    if (node.paused) return;
    const previous = node.router;
    node.router = router;
    if (node.alive) this.deliver(node, { kind: "configured", previous });
  }

  deliver(node: Node, event: VrrpEvent): void {
    if (!node.alive) return;
    if (!node.paused) {
      this.step(node, event);
      return;
    }
    const isPacket = event.kind === "advertisement";
    if (!isPacket || node.inbox.length < INBOX_SIZE) node.inbox.push(event);
  }

  step(node: Node, event: VrrpEvent, now: Instant = node.local(this.now)): void {
    if (event.kind === "advertisement") {
      for (const observer of this.#observers) {
        observer.heard?.(node, event.advertisement, this.now);
      }
    }
    const before = node.state;
    const transition = this.#machine.step(node.router, before, event, now);
    node.state = transition.state;
    let lapsed = false;
    for (const effect of transition.effects) lapsed = this.#execute(node, effect, now) || lapsed;
    if (lapsed) this.step(node, { kind: "lease-lapsed" });
    this.#schedule(node, event.kind === "tick");
    node.coupling?.hear(node, before, transition, this.order);
  }

  /** What a group has one of its members do. */
  readonly order = (member: Node, event: VrrpEvent): void => this.step(member, event);

  /** Until when it may be open is new. */
  limitGate(node: Node): void {
    node.gate.limit(this.#opener(node, node.local(this.now)));
  }

  /** Tells the others by an advertisement of this priority. */
  broadcast(from: Node, priority: number): void {
    const advertisement = {
      priority,
      source: from.address,
      maxAdvertiseInterval: from.router.advertisementInterval,
    };
    for (const to of this.nodes) {
      if (to === from || !admits(to, from)) continue;
      for (const delay of this.segment.deliveries(from, to)) {
        const event: VrrpEvent = { kind: "advertisement", advertisement };
        if (delay > SOON) this.arrivals = Math.max(this.arrivals, this.now + delay);
        this.#queue.push(this.now + delay, { kind: "packet", to, event });
      }
    }
  }

  /** The addresses are put there, or are to stay; as often as production says so. */
  keep(node: Node): void {
    const { addresses } = node;
    const now = node.local(this.now);
    const lifetime = this.lifetimeOf(node);
    const global = (at: Instant): number => node.global(at);
    addresses.keep(lifetime, now, global, this.#part());
    addresses.chain += 1;
    if (lifetime === undefined) return;
    const due = this.now + lifetime.refresh / node.clockRate + this.jitter();
    this.#queue.push(due, { kind: "refresh", node, chain: addresses.chain });
  }

  lifetimeOf({ router, lifetimes }: Node): Lifetime | undefined {
    if (!lifetimes) return undefined;
    const { advertisementInterval: interval, downTimerAdverts: adverts } = router;
    const alone = router.fenced ? undefined : this.#machine.lifetimeAlone(interval, adverts);
    return alone ?? this.#machine.lifetime(interval, adverts);
  }

  #handle(entry: Entry): void {
    this.events++;
    if (entry.kind === "action") {
      this.pending -= 1;
      entry.run();
    } else if (entry.kind === "later") entry.run();
    else if (entry.kind === "packet") this.deliver(entry.to, entry.event);
    else if (entry.kind === "refresh") this.#refresh(entry.node, entry.chain);
    else if (
      entry.kind === "tick" &&
      entry.number === entry.node.tickNumber &&
      entry.node.running
    ) {
      const { node } = entry;
      const now = this.calm && node.tickAt !== undefined ? node.tickAt : node.local(this.now);
      this.step(node, { kind: "tick" }, now);
    }
  }

  /** Neither a dead agent nor one that stands still refreshes anything. */
  #refresh(node: Node, chain: number): void {
    if (chain !== node.addresses.chain || !node.alive) return;
    if (node.paused) node.addresses.overdue = true;
    else this.keep(node);
  }

  /** A late event loop is late once for a deadline, however many packets come meanwhile. */
  #schedule(node: Node, anew: boolean): void {
    const at = this.#machine.deadline(node.state);
    if (at === node.tickAt && !anew) return;
    node.tickAt = at;
    node.tickNumber++;
    if (at === undefined) return;
    const due = Math.max(this.now, node.global(at)) + this.jitter();
    this.#queue.push(due, { kind: "tick", node, number: node.tickNumber });
  }

  /** How late an event loop is this time. */
  jitter(): number {
    return this.calm ? 0 : this.prng.next() * TICK_JITTER;
  }

  /** Of what the kernel may take its time for; in calm it takes all of it. */
  #part(): number {
    return this.calm ? 1 : this.prng.next();
  }

  /** Answers whether the gate had shut before this advertisement. */
  #execute(node: Node, effect: VrrpEffect, now: Instant): boolean {
    let lapsed = false;
    if (effect.kind === "install-addresses") this.keep(node);
    if (effect.kind === "open-addresses") node.gate.open(this.#opener(node, now));
    if (effect.kind === "probe-holder") this.#contest(node);
    if (effect.kind === "remove-addresses") {
      const by = this.now + this.#shutting(node);
      node.addresses.remove(by);
      node.gate.shut(by);
    }
    if (effect.kind === "send-advertisement") {
      this.broadcast(node, effect.priority);
      lapsed = node.gate.advertised(this.#opener(node, now));
    }
    for (const observer of this.#observers) observer.effect(node, effect, this.now);
    return lapsed;
  }

  /**
   * Who needs a lease has only let go of it when the kernel says that the gate is shut, which is later.
   * Of others it is taken to be at once: the next one waits for longer than the kernel takes. So it is of who went
   * on without its lease, and can do no more than resign.
   */
  #shutting(node: Node): number {
    const wishes = node.coupling?.wishes;
    const leased = this.nodes.every(requiresLease) && wishes?.wentWithout === false;
    return leased ? this.#part() * wishes.shutMax : 0;
  }

  #opener(node: Node, now: Instant): Opener {
    const { advertisementInterval, downTimerAdverts } = node.router;
    return {
      now,
      global: (at) => node.global(at),
      lease: this.#machine.lease(advertisementInterval, downTimerAdverts),
      limit: node.coupling?.wishes?.limit,
      margin: node.coupling?.wishes?.rules.lease && MANDATE_GATE_MARGIN,
      part: this.#part(),
    };
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
      else this.deliver(node, { kind: "holder-silent" });
    });
  }

  #answers(other: Node, asking: Node): boolean {
    if (!other.isReachable(this.now)) return false;
    const there = this.segment.deliveries(asking, other).length > 0;
    return there && this.segment.deliveries(other, asking).length > 0;
  }
}

/** Where a reload has freed one of them, it waits for nobody's gate but as VRRP does. */
const requiresLease = ({ coupling }: Node): boolean =>
  coupling?.wishes?.rules.lease?.mode === "required";

export const linkFault = { cause: "interface-down", subject: "eth0" } as const;

/** Version 2 drops another interval (RFC 3768 §7.1), as the receive ladder would. */
function admits(to: Node, from: Node): boolean {
  if (to.router.version !== from.router.version) return false;
  if (to.router.version === 3) return true;
  return to.router.advertisementInterval === from.router.advertisementInterval;
}
