import type { Instant, Micros } from "../../core/time.ts";
import {
  after,
  instant,
  later,
  micros,
  milliseconds,
  seconds,
  since,
  sooner,
} from "../../core/time.ts";
import type { Lease } from "../../core/vrrp/lease.ts";
import { KERNEL_LATENESS, leaseOf } from "../../core/vrrp/lease.ts";
import { MANDATE_GATE_MARGIN } from "../../core/witness/gate-margin.ts";
import type { Clock } from "../../ports/clock.ts";
import type { KernelError } from "../../ports/error.ts";
import type { Gate, GatedAddress, Opening, OpeningOutcome } from "../../ports/gate.ts";
import type { HolderProbes } from "../../ports/holder-probes.ts";
import type { AddressRequest } from "../../ports/network.ts";
import type { AddressHolding } from "../holding.ts";
import type { Guard } from "../holdings.ts";
import type { Router } from "../router.ts";
import type { Schedule, Slot } from "../schedule.ts";
import { HolderQuestion } from "./holder-question.ts";

/**
 * Extensions that come within this time reach the kernel together: a transaction costs much more than
 * another lease in it.
 */
const LONGEST_COLLECTION: Micros = milliseconds(100);

/** So much longer than the address itself, which outlives us by its lifetime. */
const RULES_OUTLIVE: Micros = seconds(10);

/** The gate in front of one active router's addresses. */
interface Door {
  readonly router: Router;
  /** What the last advertisement that left is worth: a reload changes that of those after it. */
  lease: Lease;
  leaseFrom: Instant | undefined;
  addresses: readonly GatedAddress[];
  /** The machine wants it open. */
  wanted: boolean;
  /** Ends the lease that the last advertisement gave. */
  deadline: Instant | undefined;
  /**
   * What the kernel was last asked for: never later than that, nor than the mandate lets it. `undefined`:
   * it is shut, or refused.
   */
  openUntil: Instant | undefined;
  /** The latest that it was ever asked for. */
  latest: Instant;
  question: HolderQuestion | undefined;
}

/** What the gatekeeper needs, and whom it tells. */
export interface GatekeeperParts {
  readonly gate: Gate;
  readonly probes: HolderProbes;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Where this router's addresses are, or will be. */
  readonly addressesOf: (router: Router) => readonly GatedAddress[];
  /** Those of them that can be asked for on a segment, one of each family. */
  readonly askable: (router: Router) => readonly GatedAddress[];
  /** Nobody answers for its addresses. */
  readonly holderSilent: (router: Router) => void;
  /** No advertisement left while its last lease ran. */
  readonly lapsed: (router: Router) => void;
  readonly refused: (router: Router, error: KernelError) => void;
  /** Until when its mandate lets the gate be open, whatever it advertises; `undefined`: it needs none. */
  readonly limitOf: (router: Router) => Instant | undefined;
}

/** How a router's gate stands, for people. */
export interface DoorView {
  readonly state: "open" | "shut";
  /** Microseconds until the kernel shuts it by itself. */
  readonly remaining: Micros;
  readonly margin: Micros;
}

/**
 * Opens and extends the gates in front of the addresses of active routers. An advertisement that left
 * is worth a lease; nothing else is.
 */
export class Gatekeeper implements Guard {
  /** It would cut off the machine itself. */
  readonly ofOthers = false;
  readonly #parts: GatekeeperParts;
  readonly #doors = new Map<string, Door>();
  readonly #due = new Set<Door>();
  readonly #collection: Slot;
  /** Gates that are being shut, by the id of the router, until it is sure that they are. */
  readonly #shutting = new Map<string, Promise<void>>();

  constructor(parts: GatekeeperParts) {
    this.#parts = parts;
    this.#collection = parts.schedule.slot(() => this.#extend());
  }

  /** The router takes its addresses: the gate is shut. Holdings sees to it before they are there. */
  take(router: Router): void {
    const { advertisementInterval, downTimerAdverts, fenced } = router.effective;
    const lease = leaseOf(advertisementInterval, downTimerAdverts);
    if (!fenced || lease === undefined) return;
    const known = this.#doors.get(router.id);
    const addresses = this.#parts.addressesOf(router);
    const { wanted = false, deadline, question, latest = instant(0) } = known ?? {};
    const running = { wanted, deadline, openUntil: undefined, latest, question };
    const leaseFrom = router.advertisedAt;
    const door: Door = { router, lease, leaseFrom, addresses, ...running };
    if (known !== undefined) this.#due.delete(known);
    this.#doors.set(router.id, door);
    if (wanted) this.#open(door);
  }

  /** Its addresses may be others than when it took them, or elsewhere. Idempotent. */
  follow(router: Router): void {
    const door = this.#doors.get(router.id);
    const addresses = this.#parts.addressesOf(router);
    if (door === undefined || sameAddresses(door.addresses, addresses)) return;
    door.addresses = addresses;
    door.openUntil = undefined;
    if (!door.wanted || door.deadline === undefined) return;
    this.#due.add(door);
    this.#extend();
  }

  open(router: Router): void {
    // It was active before it was fenced.
    if (!this.#doors.has(router.id)) this.take(router);
    const door = this.#doors.get(router.id);
    if (door === undefined) return;
    this.#endQuestion(door);
    door.wanted = true;
    this.#open(door);
  }

  /** Shuts the gate, and asks who else is reachable. */
  contest(router: Router): void {
    const door = this.#doors.get(router.id);
    if (door === undefined) return;
    this.#shut(door);
    this.#endQuestion(door);
    const { probes, clock, schedule, askable, holderSilent } = this.#parts;
    const silent = (): void => {
      door.question = undefined;
      holderSilent(router);
    };
    const addresses = askable(router);
    door.question = new HolderQuestion({ probes, clock, schedule, addresses, silent });
  }

  /** The router gives its addresses back. */
  give(router: Router): void {
    const door = this.#doors.get(router.id);
    if (door === undefined) return;
    this.#shut(door);
    this.#endQuestion(door);
    this.#doors.delete(router.id);
  }

  /**
   * The machine stood still, and neither the kernel's timeouts nor our clock went on: whatever was
   * advertised before is worth nothing. Answers whose gates are shut now.
   */
  suspended(): readonly Router[] {
    const doors = [...this.#doors.values()];
    for (const door of doors) {
      door.router.advertisedAt = undefined;
      this.#shut(door);
    }
    return doors.map(({ router }) => router);
  }

  /** Until when their mandate lets them be open is new. */
  limited(routers: readonly Router[]): void {
    for (const { id } of routers) {
      const door = this.#doors.get(id);
      if (door?.wanted === true && door.deadline !== undefined) this.#due.add(door);
    }
    this.#extend();
  }

  /**
   * Resolves when nothing reaches this router's addresses through the gate any more: the kernel has said
   * so, or what it was last asked for is over. To be called when the router has left `active`.
   */
  async whenShut({ id }: Router): Promise<void> {
    for (;;) {
      const shutting = this.#shutting.get(id);
      if (shutting === undefined) return;
      await shutting;
    }
  }

  /** After an advertisement was sent, or could not be. */
  advertised(router: Router): void {
    const door = this.#doors.get(router.id);
    const at = router.advertisedAt;
    if (door === undefined || at === undefined) return;
    this.#appraise(door, at);
    if (!door.wanted) return;
    if (!router.effective.fenced) {
      this.#doors.delete(router.id);
      return;
    }
    if (door.deadline !== undefined && at > door.deadline) {
      this.#shut(door);
      this.#parts.lapsed(router);
      return;
    }
    if (door.deadline === undefined) {
      this.#open(door);
      return;
    }
    door.deadline = after(at, door.lease.length);
    this.#due.add(door);
    const { at: set } = this.#collection;
    const patience = collectedUntil(door, at);
    this.#collection.set(set === undefined ? patience : sooner(set, patience));
  }

  /**
   * Whether frames of this router that pass by the gate, announcements, may leave: as the gate itself
   * would say.
   */
  mayAnnounce(owner: string): boolean {
    const door = this.#doors.get(owner);
    if (door === undefined) return true;
    const until = this.#until(door);
    return until !== undefined && this.#parts.clock.now() < until;
  }

  /** Those that hold addresses behind a gate. */
  *routers(): Generator<Router> {
    for (const { router } of this.#doors.values()) yield router;
  }

  view(router: Router): DoorView | undefined {
    const door = this.#doors.get(router.id);
    if (door === undefined) return undefined;
    const until = this.#until(door);
    const left = until === undefined ? 0 : since(this.#parts.clock.now(), until);
    const remaining = micros(Math.max(0, left));
    return { state: remaining > 0 ? "open" : "shut", remaining, margin: door.lease.margin };
  }

  guards({ gated }: AddressHolding): boolean {
    return gated;
  }

  async before(requests: readonly AddressRequest[]) {
    const lifetime = seconds(Math.max(...requests.map((request) => request.lifetime ?? 0)));
    const keep = micros(lifetime + RULES_OUTLIVE);
    const error = await this.#parts.gate.guard(requests.map(gatedAddress), keep);
    if (error === undefined) return undefined;
    return { ok: false, errno: error.code, message: `${error.message}; ${error.remedy}` } as const;
  }

  release(request: AddressRequest): void {
    void this.#parts.gate.release([gatedAddress(request)]);
  }

  close(): void {
    for (const door of this.#doors.values()) this.#endQuestion(door);
    this.#collection.set(undefined);
  }

  /** One that is not the one of before was sent by the configuration of now. */
  #appraise(door: Door, at: Instant): void {
    if (door.leaseFrom === at) return;
    const { advertisementInterval, downTimerAdverts } = door.router.effective;
    door.lease = leaseOf(advertisementInterval, downTimerAdverts) ?? door.lease;
    door.leaseFrom = at;
  }

  /** From the last advertisement that left, if its lease still runs; else the next one opens. */
  #open(door: Door): void {
    const { advertisedAt } = door.router;
    if (advertisedAt === undefined) return;
    const deadline = after(advertisedAt, door.lease.length);
    if (deadline <= this.#parts.clock.now()) return;
    door.deadline = deadline;
    this.#due.add(door);
    this.#extend();
  }

  #shut(door: Door): void {
    const { id } = door.router;
    this.#due.delete(door);
    door.wanted = false;
    door.deadline = undefined;
    door.openUntil = undefined;
    const over = this.#over(door);
    const shut = this.#parts.gate.shut(door.addresses).then((error) => {
      this.#hear(door, error ?? "open");
      return error === undefined ? undefined : over;
    });
    const before = this.#shutting.get(id);
    const all = Promise.all([before, Promise.race([shut, over])]).then(() => {
      if (this.#shutting.get(id) === all) this.#shutting.delete(id);
    });
    this.#shutting.set(id, all);
  }

  /** When the kernel has shut it by itself, at the latest. */
  #over({ latest, lease }: Door): Promise<void> {
    const { schedule, clock } = this.#parts;
    const at = after(latest, micros(lease.margin + KERNEL_LATENESS));
    if (at <= clock.now()) return Promise.resolve();
    return new Promise((resolve) => schedule.slot(() => resolve()).set(at));
  }

  #extend(): void {
    const doors = [...this.#due].filter((door) => this.#prolong(door));
    this.#due.clear();
    this.#collection.set(undefined);
    if (doors.length === 0) return;
    void this.#parts.gate.open(doors.map(openingOf)).then((outcomes) => {
      for (const [at, door] of doors.entries()) this.#hear(door, outcomes[at] ?? "open");
    });
  }

  /** Whether the kernel is to be asked. What its mandate has ended it has ended too. */
  #prolong(door: Door): boolean {
    const until = this.#until(door);
    if (until === undefined || until <= this.#parts.clock.now()) return false;
    if (until === door.openUntil) return false;
    door.openUntil = until;
    door.latest = later(door.latest, until);
    return true;
  }

  #until({ router, deadline }: Door): Instant | undefined {
    if (deadline === undefined) return undefined;
    const limit = this.#parts.limitOf(router);
    return limit === undefined ? deadline : sooner(deadline, limit);
  }

  #hear(door: Door, outcome: OpeningOutcome): void {
    if (outcome === "open") return;
    door.openUntil = undefined;
    if (outcome !== "late") {
      this.#parts.refused(door.router, outcome);
      return;
    }
    door.router.counters.gateLate += 1;
    // The kernel has shut it. What is left of the lease counts, if there is any.
    const current = this.#doors.get(door.router.id) === door && door.wanted;
    if (current) this.#open(door);
  }

  #endQuestion(door: Door): void {
    door.question?.end();
    door.question = undefined;
  }
}

const sameAddresses = (a: readonly GatedAddress[], b: readonly GatedAddress[]): boolean =>
  a.length === b.length &&
  a.every(
    ({ interfaceIndex, address }, at) =>
      interfaceIndex === b[at]?.interfaceIndex && address === b[at]?.address,
  );

const gatedAddress = ({ interfaceIndex, address }: AddressRequest): GatedAddress => ({
  interfaceIndex,
  address: address.address,
});

/** An extension waits for others, but not until what it extends is about to run out. */
function collectedUntil({ router, lease, openUntil }: Door, at: Instant): Instant {
  const tenth = micros(router.effective.advertisementInterval / 10);
  const until = sooner(after(at, LONGEST_COLLECTION), after(at, tenth));
  return openUntil === undefined ? until : sooner(until, after(openUntil, micros(-lease.margin)));
}

const openingOf = ({ addresses, deadline, openUntil, lease }: Door): Opening => ({
  addresses,
  // Only doors with a deadline are due.
  deadline: openUntil ?? (0 as Instant),
  // The end of a mandate leaves its own room, whatever the interval is.
  margin:
    openUntil === deadline ? lease.margin : micros(Math.min(lease.margin, MANDATE_GATE_MARGIN)),
});
