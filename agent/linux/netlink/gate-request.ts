import type { Instant } from "../../core/time.ts";
import { after, milliseconds } from "../../core/time.ts";
import type { Command } from "../../wire/netlink/nftables.ts";
import { GUARDED, OPEN } from "./gate-ruleset.ts";
import type { GatedElement, Lease } from "./gated-element.ts";
import { SetChanges, timedSets } from "./gated-element.ts";

/**
 * A tick of the slowest kernels. What is left of a lease is shorter than that: it is over, as kernels
 * before 6.12 take a timeout below a tick for none at all.
 */
const SHORTEST = milliseconds(10);
/** The kernel and this process need not agree better than this on what has run out. */
export const TOLERANCE = milliseconds(100);

const GUARDED_SETS = timedSets(GUARDED);
const OPEN_SETS = timedSets(OPEN);

/**
 * What the kernel is asked for in one transaction, to be believed once it was carried out. Timeouts are
 * spans: if everything stands still after they were reckoned, they begin only when it goes on, and the
 * gate would open again. So a lease that runs is extended only if the kernel still has it then.
 */
export class GateRequest {
  readonly elements: GatedElement[] = [];
  /** Timeouts count from here. */
  readonly #at: Instant;
  readonly #guards = new SetChanges(GUARDED_SETS);
  readonly #opens = new SetChanges(OPEN_SETS);
  readonly #guarded: (readonly [GatedElement, until: Instant])[] = [];
  readonly #unguarded: GatedElement[] = [];
  readonly #opened: (readonly [GatedElement, Lease])[] = [];
  readonly #shut: GatedElement[] = [];
  readonly #extended: GatedElement[] = [];

  constructor(at: Instant) {
    this.#at = at;
  }

  /** From what the kernel was told of the element to what is wanted. */
  add(element: GatedElement): void {
    this.elements.push(element);
    this.#guard(element);
    const lease = this.#runningLease(element);
    if (lease === element.opened) return;
    if (lease === undefined) {
      this.#opens.drop(element.kind, element.inOpen);
      this.#shut.push(element);
      return;
    }
    const left = wholeMs(lease.deadline - this.#at);
    if (this.#mayRun(element)) {
      this.#opens.extend(element.kind, element.inOpen, left);
      this.#extended.push(element);
    } else this.#opens.renew(element.kind, element.inOpen, left);
    this.#opened.push([element, lease]);
  }

  commands(): readonly Command[] {
    return [...this.#guards.commands(), ...this.#opens.commands()];
  }

  /** Answers the elements whose lease reached the kernel too late: they are to be shut. */
  carriedOut(now: Instant): readonly GatedElement[] {
    for (const [element, until] of this.#guarded) element.guardedUntil = until;
    for (const element of this.#unguarded) element.guardedUntil = undefined;
    for (const element of this.#shut) element.opened = undefined;
    const took = now - this.#at;
    const late: GatedElement[] = [];
    for (const [element, lease] of this.#opened) {
      element.opened = lease;
      element.mayBeOver = false;
      if (took <= lease.margin) continue;
      lease.late = true;
      if (element.lease === lease) element.lease = undefined;
      late.push(element);
    }
    return late;
  }

  /**
   * The kernel says that something is not there. Answers whether that may be a lease that ran out before
   * it was to be extended: then all is to be asked for again, with the time as it is then.
   */
  ranOut(now: Instant): boolean {
    const over = this.#extended.filter(
      ({ opened }) => opened !== undefined && opened.deadline - now < TOLERANCE,
    );
    if (over.length === 0) return false;
    for (const element of over) element.mayBeOver = true;
    for (const [element] of this.#guarded) element.keepAnew = true;
    return true;
  }

  /** Whether the kernel should have it open, by what it was told last. */
  #mayRun({ opened, mayBeOver }: GatedElement): boolean {
    return opened !== undefined && opened.deadline > this.#at && !mayBeOver;
  }

  #guard(element: GatedElement): void {
    const { kind, inGuarded, guardedUntil, keep, holders } = element;
    if (holders.size === 0) {
      if (guardedUntil === undefined) return;
      this.#guards.drop(kind, inGuarded);
      this.#unguarded.push(element);
    } else if (element.keepAnew || guardedUntil === undefined) {
      this.#guards.renew(kind, inGuarded, wholeMs(keep));
      this.#guarded.push([element, after(this.#at, keep)]);
      element.keepAnew = false;
    }
  }

  /** The lease that the kernel is to know of. One that is over is late, if it never was told of it. */
  #runningLease(element: GatedElement): Lease | undefined {
    const { lease, opened } = element;
    if (lease === undefined || lease.deadline - this.#at >= SHORTEST) return lease;
    if (lease === opened && lease.deadline > this.#at) return lease;
    if (lease !== opened) lease.late = true;
    element.lease = undefined;
    return undefined;
  }
}

/** Timeouts are whole milliseconds: never longer than what is left. */
const wholeMs = (time: number): number => Math.floor(time / 1000);
