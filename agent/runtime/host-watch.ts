import type { RouteConfig, RuleConfig } from "../config/config.ts";
import { LAPSE } from "../core/track/board.ts";
import type { TrackedCheck } from "../core/track/tracking.ts";
import type { HostAddress, Link, Network, NetworkEvent } from "../ports/network.ts";
import { interfacesOf } from "./advert-paths.ts";
import { foreignInterfaces } from "./assess.ts";
import type { WordListener } from "./director-word.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { Lifetimes } from "./fencing/lifetimes.ts";
import { addressKey } from "./holding.ts";
import type { Holdings } from "./holdings.ts";
import type { Links } from "./links.ts";
import type { Losses } from "./losses.ts";
import type { Reports } from "./reports.ts";
import type { Router } from "./router.ts";
import type { Statics } from "./statics.ts";
import { STATIC_OWNER } from "./statics.ts";
import type { SyncGroups } from "./sync-groups.ts";
import type { VirtualLinks } from "./virtual-links.ts";

/** Who must hear what happens on the host. */
export interface WatchParts {
  readonly network: Network;
  readonly links: Links;
  readonly virtualLinks: VirtualLinks;
  readonly pool: EndpointPool<Router>;
  readonly holdings: Holdings;
  readonly statics: Statics;
  readonly groups: SyncGroups;
  readonly losses: Losses;
  readonly lifetimes: Pick<Lifetimes, "ended">;
  readonly reports: Reports;
  readonly routers: () => Iterable<Router>;
  readonly routerById: (id: string) => Router | undefined;
  /** What BFD sessions say is new. */
  readonly sessionsChanged: () => void;
  /** New routers wait for the director's word of claims. */
  readonly awaitsDirector: () => boolean;
  readonly routerNamed: (name: string) => Router | undefined;
  /** Looks at this router's host anew, at the end of the turn. */
  readonly touch: (router: Router) => void;
  /** Announces what was put back. */
  readonly announce: (router: Router) => void;
}

const LAPSE_TEXT = `${LAPSE / 1_000_000} s`;

const LAPSED = {
  readings: "tracked scripts, files and processes count as failed until it is back",
  claims: "what policies asked for in this case holds until they are back",
};

/** Turns what the kernel and the director tell of into what routers must look at again. */
export class HostWatch implements WordListener {
  readonly #parts: WatchParts;
  readonly #running = new Map<number, boolean>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
    for (const link of parts.network.links().values()) {
      this.#running.set(link.index, link.up && link.running);
    }
  }

  hear(event: NetworkEvent): void {
    switch (event.kind) {
      case "link":
        this.#link(event.link);
        break;
      case "link-removed":
        this.#running.delete(event.index);
        this.#parts.links.update(event.name);
        break;
      case "address-added":
        this.#address(event.address);
        break;
      case "address-removed":
        this.#address(event.address);
        this.#addressGone(event.address);
        break;
      case "route-removed":
        this.#configGone(event.route, "a route");
        break;
      case "rule-removed":
        this.#configGone(event.rule, "a rule");
        break;
      case "resynchronized":
        this.#audit();
        break;
    }
  }

  /** Routers that have to do with this interface look at it again. */
  interfaceChanged(name: string): void {
    this.#parts.virtualLinks.changed(name);
    const { groups, routers, touch } = this.#parts;
    for (const router of routers()) {
      const group = groups.configOf(router.name);
      const tracked = group?.trackInterfaces.some((one) => one.interface === name) === true;
      if (tracked || concerns(router, name)) touch(router);
    }
  }

  /** Routers that look at one of these trackers, or whose group does. */
  trackersChanged(trackers: readonly string[]): void {
    const changed = new Set(trackers);
    const { groups, routers, touch } = this.#parts;
    for (const router of routers()) {
      const group = groups.configOf(router.name)?.trackers ?? [];
      const tracked = [...router.config.trackers, ...group];
      if (tracked.some(({ tracker }) => changed.has(tracker))) touch(router);
    }
    if (trackers.some(isSession)) this.#parts.sessionsChanged();
  }

  /** Policies claim something else of these routers. */
  claimsChanged(names: readonly string[]): void {
    for (const name of names) {
      const router = this.#parts.routerNamed(name);
      if (router !== undefined) this.#parts.touch(router);
    }
  }

  allChanged(): void {
    for (const router of this.#parts.routers()) this.#parts.touch(router);
  }

  lapsed(what: "readings" | "claims", keys: readonly string[]): void {
    const { groups, routers, reports, awaitsDirector } = this.#parts;
    const concerned =
      what === "claims"
        ? keys.length > 0 || awaitsDirector()
        : [...routers()].some(
            ({ name, config }) =>
              config.trackers.some(isDirectors) ||
              groups.configOf(name)?.trackers.some(isDirectors) === true,
          );
    if (concerned) reports.host("error", "director", `no word for ${LAPSE_TEXT}: ${LAPSED[what]}`);
    this.allChanged();
  }

  #link(link: Link): void {
    const { links, pool, holdings, statics } = this.#parts;
    const runs = link.up && link.running;
    const ran = this.#running.get(link.index);
    this.#running.set(link.index, runs);
    links.update(link.name);
    if (!runs || ran === true) return;
    // It is there again: memberships may be gone, and so may addresses (IPv6 loses them all).
    pool.rejoin(link.index);
    this.interfaceChanged(link.name);
    holdings.putBackMissing();
    statics.refresh();
  }

  /** An address that is not ours may be a source, or the reason for there being none. */
  #address(address: HostAddress): void {
    if (address.ours) return;
    const name = this.#parts.network.links().get(address.interfaceIndex)?.name;
    for (const router of this.#parts.routers()) {
      const { config } = router;
      const source = config.sourceAddress === address.address;
      const on = name !== undefined && [config.interface, ...interfacesOf(config)].includes(name);
      if (source || on) this.#parts.touch(router);
    }
  }

  #addressGone({ interfaceIndex, address, prefixLength }: HostAddress): void {
    this.#gone(addressKey(interfaceIndex, address, prefixLength), address, interfaceIndex);
  }

  #configGone(config: RouteConfig | RuleConfig, what: string): void {
    const key = this.#parts.holdings.keyOf(config);
    if (key !== undefined) this.#gone(key, what, undefined);
  }

  #gone(key: string, what: string, interfaceIndex: number | undefined): void {
    const { holdings, network } = this.#parts;
    const owners = holdings.gone(key);
    const link = interfaceIndex === undefined ? undefined : network.links().get(interfaceIndex);
    // With its interface: then that is the fault, and its return brings the address back.
    if (interfaceIndex !== undefined && link?.up !== true) return;
    for (const owner of owners) this.#lost(owner, key, what);
  }

  #lost(owner: string, key: string, what: string): void {
    const { holdings, losses, reports, routerById, announce } = this.#parts;
    const router = routerById(owner);
    if (router === undefined) {
      reports.host(
        "warn",
        owner === STATIC_OWNER ? "static" : owner,
        `${what} was removed: put back`,
      );
      holdings.putBack(key);
      this.#parts.statics.refresh();
      return;
    }
    if (this.#parts.lifetimes.ended(key, () => this.#ended(router, key, what))) return;
    if (!losses.lost(router, what, isTracked(router, what))) {
      reports.host("warn", router.name, `${what} is removed again and again: giving up for now`);
      return;
    }
    reports.host("warn", router.name, `${what} was removed by somebody else: put back`);
    holdings.putBack(key);
    announce(router);
  }

  /** Nobody's doing, and this router's again only if it is active still. */
  #ended(router: Router, key: string, what: string): void {
    if (router.state.kind !== "active") return;
    const { holdings, reports, announce } = this.#parts;
    const message = `${what} was removed by the kernel, as this process stood still: put back`;
    reports.host("warn", router.name, message);
    holdings.putBack(key);
    announce(router);
  }

  /** Events were lost, or are to be checked: the host as it is now is what counts. */
  #audit(): void {
    const { network, holdings, links } = this.#parts;
    holdings.forgetExpected();
    const present = new Map<number, Set<string>>();
    for (const [key, { interfaceIndex, address }] of [...holdings.addresses()]) {
      const there =
        present.get(interfaceIndex) ??
        new Set(network.addresses(interfaceIndex).map((one) => one.address));
      present.set(interfaceIndex, there);
      if (!there.has(address.address)) this.#gone(key, address.address, interfaceIndex);
    }
    for (const link of network.links().values()) links.update(link.name);
    this.allChanged();
  }
}

/** BFD sessions run here, and need no director. */
const isDirectors = ({ tracker }: TrackedCheck): boolean => !isSession(tracker);

const isSession = (tracker: string): boolean => tracker.startsWith("track_bfd ");

function isTracked({ config }: Router, address: string): boolean {
  const found = [...config.addresses, ...config.excludedAddresses].find(
    (one) => one.address === address,
  );
  return found !== undefined && !found.noTrack;
}

function concerns({ config, binding }: Router, name: string): boolean {
  const { interface: own, virtualLink, vrf, addressLinks } = config;
  if (name === own || name === virtualLink?.name || name === vrf) return true;
  if (addressLinks.some((one) => name === one.interface || name === one.link.name)) return true;
  if (name === binding.base?.name) return true;
  if (config.trackInterfaces.some((one) => one.interface === name)) return true;
  if (interfacesOf(config).includes(name)) return true;
  for (const [foreign] of foreignInterfaces(config)) if (foreign === name) return true;
  // Its source may be on any interface.
  return config.interface === undefined;
}
