import type { BalancedService, ServiceView } from "../../../sdk/index.ts";
import type { ServiceTarget } from "../../core/ipvs/service.ts";
import type { ServerWeights } from "../../core/policy/server-weights.ts";
import type { ServerClaim } from "../../core/virtual-server/pool.ts";
import type { Served } from "./served.ts";
import type { HeldClaim } from "./server-claims.ts";
import { ServerClaims } from "./server-claims.ts";
import type { Count } from "./server-views.ts";
import { balancedView, serverViews } from "./server-views.ts";
import { targetsOf } from "./service-targets.ts";

/** What policies go by, and whom they move. */
export interface PolicyServicesWorld {
  /** By name. */
  readonly served: ReadonlyMap<string, Served>;
  readonly connections: Count;
  /** Counts the connections of these services anew. */
  readonly count: (targets: readonly ServiceTarget[]) => Promise<void>;
  readonly wallClock: () => number;
}

/** Load balancing as policies see it, and what they do to it. */
export class PolicyServices {
  readonly #world: PolicyServicesWorld;
  readonly #claims: ServerClaims;

  constructor(world: PolicyServicesWorld) {
    this.#world = world;
    this.#claims = new ServerClaims(world.wallClock);
  }

  views(): readonly ServiceView[] {
    return serverViews(this.#world.served.values(), this.#world.connections);
  }

  names(): readonly string[] {
    return [...this.#world.served.keys()];
  }

  /** One service as it is now; `undefined`: there is none of this name. */
  async look(service: string): Promise<BalancedService | undefined> {
    const { served, count, connections } = this.#world;
    const before = served.get(service);
    if (before !== undefined) await count(targetsOf(before.config));
    const found = served.get(service);
    return found && balancedView(found, connections);
  }

  /** What a policy does to the real server `service/address:port`; `undefined`: nothing any more. */
  claim(name: string, source: string, claim: ServerClaim | undefined): void {
    this.#claims.set(name, source, claim);
    for (const served of this.#world.served.values()) {
      const server = served.serverOf(name);
      if (server !== undefined) served.take({ kind: "claim", server, source, claim });
    }
  }

  /** The weights that a policy gives a whole service; `undefined`: none any more. */
  balance(service: string, source: string, weights: ServerWeights = {}): void {
    const own = `${service}/`;
    const named = new Map(Object.entries(weights).map(([key, weight]) => [own + key, weight]));
    for (const name of this.#claims.from(source)) {
      if (name.startsWith(own) && !named.has(name)) this.#claims.set(name, source, undefined);
    }
    for (const [name, weight] of named) this.#claims.set(name, source, { kind: "balance", weight });
    this.#world.served.get(service)?.take({ kind: "balance", source, weights });
  }

  /** By source, of the real server `service/address:port`. */
  claimsOf(name: string): ReadonlyMap<string, HeldClaim> {
    return this.#claims.of(name);
  }

  /** A virtual server is new: what was said of its real servers before holds for it. */
  resume(served: Served): void {
    if (this.#claims.size === 0) return;
    for (const { server, name } of served.names()) {
      for (const [source, { claim }] of this.#claims.of(name)) {
        served.take({ kind: "claim", server, source, claim });
      }
    }
  }
}
