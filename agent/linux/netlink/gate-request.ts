import type { Instant } from "../../core/time.ts";
import { after, milliseconds } from "../../core/time.ts";
import type { Command } from "../../wire/netlink/nftables.ts";
import { GUARDED, OPEN } from "./gate-ruleset.ts";
import type { GatedElement, Lease } from "./gated-element.ts";
import { SetChanges } from "./gated-element.ts";

/**
 * A tick of the slowest kernels. What is left of a lease is shorter than that: it is over, as kernels
 * before 6.12 take a timeout below a tick for none at all.
 */
const SHORTEST = milliseconds(10);

/** What the kernel is asked for in one transaction, to be believed once it was carried out. */
export class GateRequest {
  /** Timeouts count from here. */
  readonly #at: Instant;
  readonly #guards = new SetChanges(GUARDED);
  readonly #opens = new SetChanges(OPEN);
  readonly #guarded: (readonly [GatedElement, until: Instant])[] = [];
  readonly #unguarded: GatedElement[] = [];
  readonly #opened: (readonly [GatedElement, Lease])[] = [];
  readonly #shut: GatedElement[] = [];

  constructor(at: Instant) {
    this.#at = at;
  }

  /** From what the kernel was told of the element to what is wanted. */
  add(element: GatedElement): void {
    this.#guard(element);
    const lease = this.#runningLease(element);
    if (lease === element.opened) return;
    if (lease === undefined) {
      this.#opens.drop(element.kind, element.inOpen);
      this.#shut.push(element);
      return;
    }
    this.#opens.renew(element.kind, element.inOpen, wholeMs(lease.deadline - this.#at));
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
      if (took <= lease.margin) continue;
      lease.late = true;
      if (element.lease === lease) element.lease = undefined;
      late.push(element);
    }
    return late;
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
