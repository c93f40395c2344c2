import type { ServerClaim } from "../../core/virtual-server/pool.ts";

/** What policies do to real servers, by `service/address:port`: also of those not configured yet. */
export class ServerClaims {
  readonly #claims = new Map<string, Map<string, ServerClaim>>();

  set(name: string, source: string, claim: ServerClaim | undefined): void {
    const held = this.#claims.get(name) ?? new Map<string, ServerClaim>();
    if (claim === undefined) held.delete(source);
    else held.set(source, claim);
    if (held.size === 0) this.#claims.delete(name);
    else this.#claims.set(name, held);
  }

  /** By source. */
  of(name: string): ReadonlyMap<string, ServerClaim> {
    return this.#claims.get(name) ?? NONE;
  }

  get size(): number {
    return this.#claims.size;
  }
}

const NONE: ReadonlyMap<string, ServerClaim> = new Map();
