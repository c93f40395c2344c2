import type { VirtualServerConfig, VirtualTarget } from "../../config/virtual-servers.ts";
import type { DestinationKey, ServiceKey } from "../../core/ipvs/service.ts";
import { destinationKey } from "../../core/ipvs/service.ts";
import { after } from "../../core/time.ts";
import type { LeavingServer, PoolState } from "../../core/virtual-server/pool.ts";
import type { Clock } from "../../ports/clock.ts";
import { startOf } from "./adoption.ts";
import type { KeptRetiring } from "./balancing-store.ts";
import type { Served } from "./served.ts";
import { serviceKeysOf } from "./service-targets.ts";

export interface RetiringWorld {
  readonly clock: Clock;
  readonly open: (config: VirtualServerConfig) => Served;
  /** Its connections have ended, or somebody else serves its targets now. */
  readonly over: (served: Served) => void;
}

/**
 * Virtual servers, and single targets of them, that are not configured any more: their real servers
 * finish their connections.
 */
export class Retiring {
  readonly #world: RetiringWorld;
  readonly #all = new Set<Served>();

  constructor(world: RetiringWorld) {
    this.#world = world;
  }

  [Symbol.iterator](): Iterator<Served> {
    return this.#all.values();
  }

  has(served: Served): boolean {
    return this.#all.has(served);
  }

  /** All of it. */
  add(served: Served): void {
    // What its checks found is its own yet: nobody is leaving then, which would be the end of it.
    served.flush();
    this.#all.add(served);
    served.configure({ ...served.config, ...NOBODY });
  }

  /** Those of its targets that `next` has no more; to be called before it is configured. */
  part(served: Served, next: VirtualServerConfig): void {
    const { config } = served;
    const kept = new Set(serviceKeysOf(next));
    const targets = targetsWhere(config, (key) => !kept.has(key));
    if (targets.length === 0 || next.drainTime === 0) return;
    const until = after(this.#world.clock.now(), next.drainTime);
    const leaving: Record<DestinationKey, LeavingServer> = {};
    for (const { destinations } of served.entries()) {
      for (const one of destinations) {
        const { address, port, forwarding } = one;
        leaving[destinationKey(one)] = { member: { address, port, forwarding }, until };
      }
    }
    const part = this.#world.open({ ...config, ...NOBODY, targets });
    this.#all.add(part);
    part.start({ kind: "start", presumed: {}, quorum: false, overrides: {}, leaving });
  }

  /** Whether one of them is this service of the kernel. */
  holds(key: ServiceKey): boolean {
    for (const { config } of this.#all) {
      if (serviceKeysOf(config).includes(key)) return true;
    }
    return false;
  }

  /** Targets that are served again are theirs alone. Answers who has yet to finish connections there. */
  giveUp(keys: ReadonlySet<ServiceKey>): PoolState["leaving"] {
    let leaving: PoolState["leaving"] = {};
    for (const served of this.#all) {
      const targets = targetsWhere(served.config, (key) => !keys.has(key));
      if (targets.length === served.config.targets.length) continue;
      leaving = { ...leaving, ...served.state.leaving };
      if (targets.length === 0) this.forget(served);
      else served.configure({ ...served.config, targets });
    }
    return leaving;
  }

  /** They were retiring when the director before this one ended. `served`: targets that are configured. */
  resume(all: readonly KeptRetiring[], served: ReadonlySet<ServiceKey>): void {
    const { clock } = this.#world;
    const time = { now: clock.now(), wallMs: clock.wallClock() };
    for (const { config, kept } of all) {
      const targets = targetsWhere(config, (key) => !served.has(key));
      if (targets.length === 0) continue;
      const part = this.#world.open({ ...config, targets });
      this.#all.add(part);
      part.start({ ...startOf(config, undefined, kept, time), quorum: false });
    }
  }

  forget(served: Served): void {
    this.#all.delete(served);
    served.close();
    this.#world.over(served);
  }
}

const NOBODY = { sorryServer: undefined, realServers: [] } as const;

const targetsWhere = (
  { targets, protocol }: VirtualServerConfig,
  fits: (key: ServiceKey) => boolean,
): readonly VirtualTarget[] =>
  targets.filter((target) => serviceKeysOf({ targets: [target], protocol }).some(fits));
