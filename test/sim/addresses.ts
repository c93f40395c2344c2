import type { Instant } from "../../agent/core/time.ts";
import { after, milliseconds, seconds } from "../../agent/core/time.ts";
import type { Lifetime } from "../../agent/core/vrrp/lifetime.ts";
import { EARLY_END } from "../../agent/core/vrrp/lifetime.ts";

/** The kernel removes an address this much after its lifetime at the latest. */
export const LATE_END = milliseconds(1_250);

/** What the kernel has of a router's addresses: it removes by itself what nobody refreshes. */
export class Addresses {
  #installed = false;
  /** True time; infinite without a lifetime. */
  #endsAt = 0;
  /** What the kernel last heard of; a reload may have changed what it is to hear next. */
  lifetime: Lifetime | undefined;
  /** A refresh came due while the agent stood still. */
  overdue = false;
  /** Which chain of refreshes counts. */
  chain = 0;

  /** The agent installed them, and has not removed them. */
  get installed(): boolean {
    return this.#installed;
  }

  there(time: number): boolean {
    return time < this.#endsAt;
  }

  /**
   * Installs or refreshes them. `part`: how late within its measured span the kernel will remove them.
   */
  keep(
    lifetime: Lifetime | undefined,
    now: Instant,
    global: (at: Instant) => number,
    part: number,
  ): void {
    this.#installed = true;
    this.overdue = false;
    this.lifetime = lifetime;
    if (lifetime === undefined) {
      this.#endsAt = Number.POSITIVE_INFINITY;
      return;
    }
    const end = after(now, seconds(lifetime.seconds));
    this.#endsAt = global(end) - EARLY_END + part * (EARLY_END + LATE_END);
  }

  /** @param by when the kernel has done it, in true time. */
  remove(by = 0): void {
    this.#installed = false;
    this.#endsAt = Math.min(this.#endsAt, by);
    this.overdue = false;
    this.chain += 1;
  }
}
