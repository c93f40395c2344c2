import { plainEqual } from "../../core/plain-equal.ts";
import type { ServerClaim } from "../../core/virtual-server/pool.ts";

/** A claim that holds. */
export interface HeldClaim {
  readonly claim: ServerClaim;
  /** Wall-clock milliseconds: since when it says so. */
  readonly since: number;
}

const NO_KEYS: ReadonlySet<string> = new Set();

/** What policies do to real servers, by `service/address:port`: also of those not configured yet. */
export class ServerClaims {
  readonly #claims = new Map<string, Map<string, HeldClaim>>();
  readonly #wallClock: () => number;

  constructor(wallClock: () => number) {
    this.#wallClock = wallClock;
  }

  set(name: string, source: string, claim: ServerClaim | undefined): void {
    const held = this.#claims.get(name) ?? new Map<string, HeldClaim>();
    if (claim === undefined) held.delete(source);
    else if (!plainEqual(held.get(source)?.claim, claim, NO_KEYS)) {
      held.set(source, { claim, since: this.#wallClock() });
    }
    if (held.size === 0) this.#claims.delete(name);
    else this.#claims.set(name, held);
  }

  /** By source. */
  of(name: string): ReadonlyMap<string, HeldClaim> {
    return this.#claims.get(name) ?? NONE;
  }

  /** Names of real servers of which a source says something. */
  from(source: string): readonly string[] {
    return [...this.#claims].flatMap(([name, held]) => (held.has(source) ? [name] : []));
  }

  get size(): number {
    return this.#claims.size;
  }
}

const NONE: ReadonlyMap<string, HeldClaim> = new Map();
