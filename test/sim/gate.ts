import type { Instant } from "../../agent/core/time.ts";
import { after, sooner } from "../../agent/core/time.ts";
import type { Lease } from "../../agent/core/vrrp/lease.ts";
import { KERNEL_LATENESS } from "../../agent/core/vrrp/lease.ts";

/** Between two questions, and from one to its answer at the latest, microseconds. */
export const PROBE_SPAN = 10_000;
/** This many in a row without an answer: nobody holds the addresses. */
export const SILENT_PROBES = 2;

/** What a gate goes by when it is asked to open. */
export interface Opener {
  /** By the node's clock. */
  readonly now: Instant;
  /** The true time of an instant of that clock. */
  readonly global: (at: Instant) => number;
  readonly lease: Lease | undefined;
  /** No later than this, whatever was advertised: the mandate's end. */
  readonly limit: Instant | undefined;
  /** Where a mandate ends the lease as well: of the two margins the shorter one counts. */
  readonly margin: number | undefined;
  /** How much of the margin the kernel takes. */
  readonly part: number;
}

/** The kernel's gate in front of a node's addresses: it shuts by itself, whatever becomes of the agent. */
export class Gate {
  /** True time. */
  #openUntil = 0;
  /** By the node's clock, to be compared with the next advertisement. */
  #deadline: Instant | undefined;
  #advertisedAt: Instant | undefined;
  /** The machine wants it open. */
  #wanted = false;
  /** Counts the contests, so that the questions of an old one end. */
  contests = 0;
  silent = 0;

  isOpen(time: number): boolean {
    return time < this.#openUntil;
  }

  /** True time; of one that is shut by the kernel it may still be to come. */
  get shutAt(): number {
    return this.#openUntil;
  }

  /** The last deadline that the kernel was asked for. */
  get deadline(): Instant | undefined {
    return this.#deadline;
  }

  /** @param by when the kernel has done it at the latest, in true time. */
  shut(by = 0): void {
    this.#openUntil = Math.min(this.#openUntil, by);
    this.#deadline = undefined;
    this.#wanted = false;
    this.contests += 1;
  }

  open(opener: Opener): void {
    this.#wanted = true;
    const { now, global, lease, limit, margin, part } = opener;
    if (lease === undefined || this.#advertisedAt === undefined) return;
    const leased = after(this.#advertisedAt, lease.length);
    const deadline = limit === undefined ? leased : sooner(leased, limit);
    if (deadline <= now) return;
    this.#deadline = deadline;
    // The kernel shuts it later than it should by as much as it learned of the deadline late, and by
    // what its own clock is late.
    const told = Math.min(lease.margin, margin ?? lease.margin);
    this.#openUntil = global(deadline) + part * (told + KERNEL_LATENESS);
  }

  /** The mandate's end is new. */
  limit(opener: Opener): void {
    if (this.#wanted) this.open(opener);
  }

  /** An advertisement left. Answers whether the gate had shut before it. */
  advertised(opener: Opener): boolean {
    this.#advertisedAt = opener.now;
    if (!this.#wanted) return false;
    if (this.#deadline === undefined || opener.now <= this.#deadline) {
      this.open(opener);
      return false;
    }
    this.shut();
    return true;
  }
}
