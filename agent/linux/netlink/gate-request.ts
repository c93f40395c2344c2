import type { Instant } from "../../core/time.ts";
import { after, micros, milliseconds } from "../../core/time.ts";
import type { Command } from "../../wire/netlink/nftables.ts";
import type { AddressKey } from "./filter-part.ts";
import { GUARDED, OPEN } from "./gate-ruleset.ts";
import type { Lease } from "./gated-element.ts";
import { GatedElement, SetChanges, timedSets } from "./gated-element.ts";

/**
 * A tick of the slowest kernels. What is left of a lease is shorter than that: it is over, as kernels
 * before 6.12 take a timeout below a tick for none at all.
 */
const SHORTEST = milliseconds(10);
/** The kernel and this process need not agree better than this on what has run out. */
export const TOLERANCE = milliseconds(100);

const GUARDED_SETS = timedSets(GUARDED);
const OPEN_SETS = timedSets(OPEN);

/** How long a fuse burns: a busy machine may need that from one transaction to the next. */
const FUSE = milliseconds(200);
/** One that the kernel lights late is burnt down by its own reckoning, and opens nothing. */
const ANY_TIME = micros(Number.POSITIVE_INFINITY);
/** Nobody's address: it opens nothing. */
const FUSE_KEY: AddressKey = { kind: "4", bytes: new Uint8Array(4) };
/** The fuse of a gate: an element that is open for a while like others, and stands before their opening. */
export const newFuse = (): GatedElement => new GatedElement(FUSE_KEY);

/**
 * What the kernel is asked for in one transaction, to be believed once it was carried out. Timeouts are
 * spans: if everything stands still after they were reckoned, they begin only when it goes on, and the
 * gate would open after all. So nothing is opened but together with something that the kernel extends
 * only if that has not run out: the lease before, or where there is none a fuse, lit before the reckoning.
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
  /** Those that are to be opened when the fuse burns. */
  readonly #waiting: GatedElement[] = [];
  readonly #fuse: GatedElement;
  #fuseAsked = false;

  constructor(at: Instant, fuse: GatedElement) {
    this.#at = at;
    this.#fuse = fuse;
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
    if (this.#mayRun(element)) this.#extend(element, lease);
    else {
      this.#askForFuse();
      if (this.#mayRun(this.#fuse)) this.#open(element, lease);
      else this.#waiting.push(element);
    }
  }

  commands(): readonly Command[] {
    return [...this.#guards.commands(), ...this.#opens.commands()];
  }

  /** Answers what is to be changed again: a lease that reached the kernel too late is shut. */
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
    return [...late, ...this.#waiting];
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
    return true;
  }

  /** Those whose time behind the gate was to begin anew still are to. */
  renewGuards(): void {
    for (const [element] of this.#guarded) element.keepAnew = true;
  }

  #extend(element: GatedElement, lease: Lease): void {
    this.#opens.extend(element.kind, element.inOpen, wholeMs(lease.deadline - this.#at));
    this.#extended.push(element);
    this.#opened.push([element, lease]);
  }

  #open(element: GatedElement, lease: Lease): void {
    this.#opens.renew(element.kind, element.inOpen, wholeMs(lease.deadline - this.#at));
    this.#opened.push([element, lease]);
  }

  #askForFuse(): void {
    if (this.#fuseAsked) return;
    this.#fuseAsked = true;
    const lease: Lease = { deadline: after(this.#at, FUSE), margin: ANY_TIME, late: false };
    if (this.#mayRun(this.#fuse)) this.#extend(this.#fuse, lease);
    else this.#open(this.#fuse, lease);
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
