import type { Instant } from "../../agent/core/time.ts";
import { after } from "../../agent/core/time.ts";
import { leaseOf } from "../../agent/core/vrrp/lease.ts";
import type { Node } from "./node.ts";
import type { Prng } from "./prng.ts";

/** Between two questions, and from one to its answer at the latest, microseconds. */
export const PROBE_SPAN = 10_000;
/** This many in a row without an answer: nobody holds the addresses. */
export const SILENT_PROBES = 2;

/** The kernel's gate in front of a node's addresses: it shuts by itself, whatever becomes of the agent. */
export class Gate {
  /** True time. */
  #openUntil = 0;
  /** By the node's clock, to be compared with the next advertisement. */
  #deadline: Instant | undefined;
  #advertisedAt: Instant | undefined;
  /** Counts the contests, so that the questions of an old one end. */
  contests = 0;
  silent = 0;

  isOpen(time: number): boolean {
    return time < this.#openUntil;
  }

  shut(): void {
    this.#openUntil = 0;
    this.#deadline = undefined;
    this.contests += 1;
  }

  open(node: Node, prng: Prng): void {
    const { advertisementInterval, downTimerAdverts } = node.router;
    const lease = leaseOf(advertisementInterval, downTimerAdverts);
    if (lease === undefined || this.#advertisedAt === undefined) return;
    this.#deadline = after(this.#advertisedAt, lease.length);
    // The kernel shuts it later than it should by as much as it learned of the deadline late.
    this.#openUntil = node.global(this.#deadline) + prng.next() * lease.margin;
  }

  /** An advertisement left. Answers whether the gate had shut before it. */
  advertised(node: Node, now: Instant, prng: Prng): boolean {
    this.#advertisedAt = now;
    if (this.#deadline === undefined) return false;
    if (now <= this.#deadline) {
      this.open(node, prng);
      return false;
    }
    this.shut();
    return true;
  }
}
