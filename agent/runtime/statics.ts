import type { Config, TrackGroupConfig } from "../config/config.ts";
import type { Fault } from "../core/vrrp/fault.ts";
import type { Network } from "../ports/network.ts";
import type { Holding } from "./holding.ts";
import { keyOf } from "./holding.ts";
import type { Holdings } from "./holdings.ts";

export const STATIC_OWNER = "static";

type StaticConfig = Pick<
  Config,
  "staticAddresses" | "staticRoutes" | "staticRules" | "trackGroups"
>;

const NONE: StaticConfig = {
  staticAddresses: [],
  staticRoutes: [],
  staticRules: [],
  trackGroups: [],
};

/** Addresses, routes and rules that are there while the agent runs, and who depends on them. */
export class Statics {
  readonly #network: Network;
  readonly #holdings: Holdings;
  readonly #settled: () => void;
  #config: StaticConfig = NONE;
  #wanted: readonly Holding[] = [];

  /** `settled` hears when the host has answered. */
  constructor(network: Network, holdings: Holdings, settled: () => void) {
    this.#network = network;
    this.#holdings = holdings;
    this.#settled = settled;
  }

  configure(config: StaticConfig): void {
    this.#config = config;
    this.refresh();
  }

  clear(): void {
    this.configure(NONE);
  }

  /** Interfaces may have come or gone. */
  refresh(): void {
    const wanted = this.#resolve();
    // Most hosts have none, and interfaces come and go all the time: nobody need look again.
    if (wanted.length === 0 && this.#wanted.length === 0) return;
    this.#wanted = wanted;
    this.#holdings.hold(STATIC_OWNER, this.#wanted);
    this.#holdings.whenSettled(STATIC_OWNER, this.#settled);
  }

  /** A group that has lost something faults its instances. */
  faultsOf(router: string): readonly Fault[] {
    const groups = this.#config.trackGroups.filter(({ instances }) => instances.includes(router));
    return groups.flatMap((group): readonly Fault[] =>
      this.#isWhole(group) ? [] : [{ cause: "track-group-lost", subject: group.name }],
    );
  }

  #isWhole({ name }: TrackGroupConfig): boolean {
    const { staticAddresses, staticRoutes, staticRules } = this.#config;
    const wanted = [...staticAddresses, ...staticRoutes, ...staticRules].filter(
      (one) => one.trackGroup === name,
    ).length;
    const held = this.#wanted.filter(
      (holding) => groupOf(holding) === name && this.#holdings.isHeld(keyOf(holding)),
    ).length;
    return held === wanted;
  }

  #resolve(): readonly Holding[] {
    const holdings: Holding[] = [];
    for (const address of this.#config.staticAddresses) {
      const link =
        address.interface === undefined ? undefined : this.#network.linkByName(address.interface);
      if (link === undefined) continue;
      const request = { interfaceIndex: link.index, address };
      holdings.push({ kind: "address", request, refuse: false, gated: false });
    }
    for (const route of this.#config.staticRoutes) {
      const { interface: name } = route;
      // An interface that is missing would be refused: it is tried when it appears.
      if (name !== undefined && this.#network.linkByName(name) === undefined) continue;
      holdings.push({ kind: "route", route, interfaceIndex: undefined });
    }
    for (const rule of this.#config.staticRules) holdings.push({ kind: "rule", rule });
    return holdings;
  }
}

function groupOf(holding: Holding): string | undefined {
  if (holding.kind === "address") return holding.request.address.trackGroup;
  return holding.kind === "route" ? holding.route.trackGroup : holding.rule.trackGroup;
}
