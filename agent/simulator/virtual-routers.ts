import type { RouterState, RouterView } from "../../sdk/index.ts";
import type { RouterMoment, RouterStart } from "../../sdk/testing.ts";
import { NO_NOTIFY } from "../config/notifications.ts";
import { trackClaims } from "../core/track/check.ts";
import { datedContributions } from "../core/track/dated-contributions.ts";
import { effectivePriority } from "../core/track/priority.ts";
import { claims, claimsOn } from "../core/track/readings.ts";
import type { Claim } from "../core/track/tracking.ts";
import type { Fault } from "../core/vrrp/fault.ts";
import { sameFault } from "../core/vrrp/fault.ts";
import type { PriorityContribution, RouterSnapshot } from "../core/vrrp/snapshot.ts";
import { newCounters } from "../runtime/counters.ts";
import type { DirectorSettings, EventReport } from "../runtime/ipc.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { VirtualPeer } from "./virtual-peers.ts";
import { VirtualPeers } from "./virtual-peers.ts";

interface VirtualRouter {
  readonly name: string;
  readonly start: Required<RouterStart>;
  state: RouterState;
  priority: number;
  contributions: readonly PriorityContribution[];
  /** Of claims, and of what the test said. */
  faults: readonly Fault[];
  broken: boolean;
  readonly moments: RouterMoment[];
}

/** What a test says when it does not say more. */
const START: Required<RouterStart> = {
  priority: 100,
  state: "backup",
  addresses: [],
  interface: "eth0",
};

/** Why a router changes its state where nothing else is said. */
const REASONS: Readonly<Record<RouterState, string>> = {
  active: "active-down-timer",
  backup: "higher-priority",
  fault: "fault",
  initialize: "shutdown",
};

/**
 * The virtual routers of the node. What the protocol brings about, the test says; what policies claim
 * is added up by the very parts that the agent has for it.
 */
export class VirtualRouters {
  readonly #clock: VirtualClock;
  readonly #report: (report: EventReport) => void;
  readonly #routers = new Map<string, VirtualRouter>();
  readonly #peers: VirtualPeers;
  /** What policies say, and what of it has reached the routers: nothing before they have judged. */
  readonly #said = new Map<string, readonly Claim[]>();
  #claims = claims.initial;
  /** Counts what a snapshot would show otherwise. */
  changes = 0;
  #spoken = false;

  constructor(clock: VirtualClock, report: (report: EventReport) => void) {
    this.#clock = clock;
    this.#report = report;
    this.#peers = new VirtualPeers(clock);
  }

  add(name: string, given: RouterStart): void {
    const start = { ...START, ...given };
    const { state, priority } = start;
    this.#routers.set(name, {
      name,
      start,
      state,
      priority,
      contributions: [],
      faults: [],
      broken: false,
      moments: [{ after: this.#clock.elapsedMs, state, priority }],
    });
  }

  /** Others are heard here: each second is another one. */
  get observed(): boolean {
    return this.#peers.any;
  }

  /** As a director is told of them. */
  subjects(): DirectorSettings["subjects"] {
    return [...this.#routers.values()].map(({ name, start }) => ({
      kind: "instance",
      name,
      priority: start.priority,
      notify: NO_NOTIFY,
    }));
  }

  get names(): readonly string[] {
    return [...this.#routers.keys()];
  }

  claim(claim: Claim): void {
    const held = this.#said.get(claim.router) ?? [];
    const known = held.some(({ source }) => source === claim.source);
    const changed = held.map((one) => (one.source === claim.source ? claim : one));
    this.#say(claim.router, known ? changed : [...held, claim]);
  }

  withdraw(router: string, source: string): void {
    const held = this.#said.get(router) ?? [];
    const others = held.filter((claim) => claim.source !== source);
    this.#say(router, others);
  }

  /** The policies have judged: what they claim holds from now on. */
  speak(): void {
    if (this.#spoken) return;
    this.#spoken = true;
    this.#hear("last", [...this.#said.keys()]);
  }

  /** Throws a TypeError for what cannot be. */
  transition(name: string, to: RouterState, reason: string | undefined): void {
    const router = this.#known(name);
    router.broken = to === "fault";
    if (to === "fault") {
      this.#assess(router);
      return;
    }
    const claimed = this.#faultsOf(router);
    if (claimed.length > 0) {
      const why = claimed.map(({ subject }) => subject).join(", ");
      throw new TypeError(`${name} is in fault (${why}), and cannot become ${to}`);
    }
    router.faults = [];
    this.#move(router, to, reason ?? REASONS[to], []);
  }

  peer(name: string, peer: VirtualPeer): void {
    this.#peers.set(this.#known(name).name, peer);
  }

  view(name: string): RouterView {
    const router = this.#known(name);
    const { start, state, priority } = router;
    return {
      name,
      state,
      priority,
      base: start.priority,
      contributions: router.contributions,
      addresses: start.addresses,
      interface: start.interface,
    };
  }

  history(name: string): readonly RouterMoment[] {
    return this.#known(name).moments;
  }

  snapshots(): readonly RouterSnapshot[] {
    return [...this.#routers.values()].map((router, index) => {
      const { name, start, state, priority, contributions, faults } = router;
      return {
        name,
        vrid: index + 1,
        family: "ipv4",
        version: 3,
        interface: start.interface,
        state,
        priority: {
          base: start.priority,
          effective: priority,
          contributions,
        },
        preempt: true,
        advertisementInterval: this.#peers.interval,
        syncGroup: null,
        addresses: this.#addresses(router),
        fencing: { mode: "off", kind: "off", gate: null },
        mandate: null,
        faults,
        active: null,
        lastTransition: null,
        peers: this.#peers.snapshots(name),
        counters: newCounters(),
      };
    });
  }

  #addresses({ start, state }: VirtualRouter): RouterSnapshot["addresses"] {
    return start.addresses.map((text) => {
      const [address = "", length = "32"] = text.split("/");
      return {
        address: address as RouterSnapshot["addresses"][number]["address"],
        prefixLength: Number(length),
        interface: start.interface,
        installed: state === "active",
        advertised: true,
      };
    });
  }

  #say(router: string, said: readonly Claim[]): void {
    this.#said.set(router, said);
    if (this.#spoken) this.#hear("no", [router]);
  }

  #hear(complete: "no" | "last", names: readonly string[]): void {
    const entries = names.map((key) => ({ key, value: this.#said.get(key) ?? [] }));
    const event = { kind: "said", complete, entries } as const;
    this.#claims = claims.step(undefined, this.#claims, event, this.#clock.now()).state;
    for (const name of names) {
      const router = this.#routers.get(name);
      if (router !== undefined) this.#assess(router);
    }
  }

  #faultsOf({ name }: VirtualRouter): readonly Fault[] {
    return trackClaims(claimsOn(this.#claims, name)).faults;
  }

  /** Level-triggered, as the agent's own. */
  #assess(router: VirtualRouter): void {
    const { contributions, faults: claimed } = trackClaims(claimsOn(this.#claims, router.name));
    const before = router.priority;
    this.changes += 1;
    const at = this.#clock.wallClock();
    router.contributions = datedContributions(contributions, router.contributions, at);
    router.priority = effectivePriority(router.start.priority, contributions);
    if (router.priority !== before) {
      this.#note(router);
      this.#tellPriority(router, before);
    }
    const link: Fault = { cause: "interface-down", subject: router.start.interface };
    const faults = router.broken ? [link, ...claimed] : claimed;
    const fresh = faults.filter((fault) => !router.faults.some((held) => sameFault(held, fault)));
    router.faults = faults;
    if (router.state === "fault") {
      if (faults.length === 0) this.#move(router, "backup", "fault-cleared", []);
    } else if (fresh.length > 0) this.#move(router, "fault", "fault", fresh);
  }

  #move(router: VirtualRouter, to: RouterState, reason: string, faults: readonly Fault[]): void {
    const from = router.state;
    this.changes += 1;
    if (from === to) return;
    router.state = to;
    this.#note(router);
    const why =
      faults.length === 0
        ? reason
        : faults.map(({ cause, subject }) => `${cause} ${subject}`).join(", ");
    this.#report({
      at: this.#clock.wallClock(),
      kind: "transition",
      level: to === "fault" ? "warn" : "info",
      subject: router.name,
      message: `${from} to ${to}: ${why}`,
      detail: { from, to, reason, faults, priority: router.priority },
    });
  }

  /** What changes at one moment is one moment. */
  #note({ moments, state, priority }: VirtualRouter): void {
    const after = this.#clock.elapsedMs;
    if (moments.at(-1)?.after === after) moments.pop();
    moments.push({ after, state, priority });
  }

  #tellPriority({ name, priority, contributions }: VirtualRouter, before: number): void {
    this.#report({
      at: this.#clock.wallClock(),
      kind: "priority",
      level: "info",
      subject: name,
      message: `priority ${before} to ${priority}`,
      detail: { before, after: priority, contributions },
    });
  }

  #known(name: string): VirtualRouter {
    const router = this.#routers.get(name);
    if (router !== undefined) return router;
    const there = this.names.join(", ") || "none";
    throw new TypeError(
      `there is no virtual router ${name} (there: ${there}); add it to the world: ` +
        `simulate(file, { routers: { ${name}: {} } })`,
    );
  }
}
