import type { InstanceConfig, VirtualLink } from "../config/config.ts";
import type { IpAddress } from "../core/address.ts";
import { datedContributions } from "../core/track/dated-contributions.ts";
import type { Fault } from "../core/vrrp/fault.ts";
import { sameFault } from "../core/vrrp/fault.ts";
import type { EndpointSpec } from "../ports/advertisement-sockets.ts";
import { KernelError } from "../ports/error.ts";
import type { HostAddress, Link, Network } from "../ports/network.ts";
import { formatMac, virtualRouterMac } from "../wire/virtual-mac.ts";
import { AdvertPaths } from "./advert-paths.ts";
import type { Assessment, HostView } from "./assess.ts";
import { assess } from "./assess.ts";
import type { DirectorWord } from "./director-word.ts";
import type { Driver } from "./driver.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { Links } from "./links.ts";
import { receiveRoom } from "./receive-room.ts";
import type { Reports } from "./reports.ts";
import type { Router } from "./router.ts";
import { timeToLive } from "./sender.ts";
import type { SyncGroups } from "./sync-groups.ts";
import type { VirtualLinks } from "./virtual-links.ts";

/** What binds routers to their host. */
export interface BindingParts {
  readonly network: Network;
  readonly links: Links;
  readonly virtualLinks: VirtualLinks;
  readonly pool: EndpointPool<Router>;
  readonly groups: SyncGroups;
  readonly driver: Driver;
  readonly reports: Reports;
  readonly word: Pick<DirectorWord, "reading" | "claims">;
  readonly wallClock: () => number;
  /** Faults that cannot be seen by looking at interfaces: what was lost on the host. */
  readonly otherFaults: (router: Router) => readonly Fault[];
  /** The kernel can fence addresses. */
  readonly gateWorks: () => boolean;
}

/** Keeps every router bound to its host as the host is now, and tells its machine what that means. */
export class Bindings {
  readonly #parts: BindingParts;
  readonly #own = new Map<number, readonly HostAddress[]>();
  readonly #raised = new Map<Router, readonly Fault[]>();
  readonly #paths: AdvertPaths;

  constructor(parts: BindingParts) {
    this.#parts = parts;
    this.#paths = new AdvertPaths(parts);
  }

  /**
   * Looks at the host anew. Idempotent: without a change nothing happens. Answers whether all is known
   * that a router has to know before it starts.
   */
  evaluate(router: Router): boolean {
    const assessment = this.#assess(router.name, router.id, router.config);
    const faults = [...assessment.faults, ...this.#parts.otherFaults(router)];
    // A fault goes first, while the socket for the resignation is still there.
    this.#raise(router, faults);
    this.#bind(router, assessment);
    this.#paths.bind(router);
    this.#configure(router, assessment);
    const hears = router.binding.lease?.deaf === false;
    const held = hears ? [] : this.#socketFault(router, assessment);
    this.#settle(router, [...faults, ...held]);
    return assessment.unknown.length === 0;
  }

  /** The machine's record of a new router, before it starts. */
  adopt(router: Router): void {
    this.#raised.set(router, []);
  }

  /** Lets go of sockets and links; the router has resigned. */
  async release(router: Router): Promise<void> {
    this.#raised.delete(router);
    router.binding.lease?.release();
    router.binding.lease = undefined;
    this.#paths.release(router);
    await this.#parts.virtualLinks.release(router.id);
  }

  /** Removes virtual links that its configuration does not name any more; nothing is on them now. */
  trim(router: Router): void {
    const { virtualLink, addressLinks } = router.config;
    const names = addressLinks.map(({ link }) => link.name);
    if (virtualLink !== undefined) names.push(virtualLink.name);
    void this.#parts.virtualLinks.retain(router.id, names);
  }

  /** The socket that a router of this configuration needs; `undefined`: none can be had yet. */
  specFor(router: Router, config: InstanceConfig): EndpointSpec | undefined {
    return this.#endpointSpec(config, this.#assess(router.name, router.id, config));
  }

  #assess(name: string, id: string, config: InstanceConfig): Assessment {
    const { links, network, groups, word } = this.#parts;
    for (const { interface: below, link } of config.addressLinks) {
      this.#wantLink(id, config, link, links.named(below));
    }
    const host: HostView = {
      link: (wanted) => links.named(wanted),
      isUp: (wanted) => links.isUp(wanted),
      addresses: (index) => this.#ownAddresses(index),
      linkWith: (address) => linkWith(network, address),
      virtualLink: this.#virtualLink(id, config),
      reading: (tracker) => word.reading(tracker),
      claims: word.claims(name),
    };
    return assess(config, groups.configOf(name), host);
  }

  /** What a host has by itself; many routers of one interface ask for it in one turn. */
  #ownAddresses(index: number): readonly HostAddress[] {
    const known = this.#own.get(index);
    if (known !== undefined) return known;
    if (this.#own.size === 0) queueMicrotask(() => this.#own.clear());
    const own = this.#parts.network.addresses(index).filter((address) => !address.ours);
    this.#own.set(index, own);
    return own;
  }

  #virtualLink(id: string, config: InstanceConfig): Link | undefined {
    const { virtualLink: spec, interface: below } = config;
    if (spec === undefined || below === undefined) return undefined;
    return this.#wantLink(id, config, spec, this.#parts.links.named(below));
  }

  #wantLink(
    id: string,
    { router }: InstanceConfig,
    spec: VirtualLink,
    parent: Link | undefined,
  ): Link | undefined {
    if (parent === undefined) return undefined;
    const own = spec.kind === "macvlan" ? spec.mac : undefined;
    const virtual = formatMac(virtualRouterMac(router.vrid, router.family));
    const mac = spec.kind === "macvlan" ? (own ?? virtual) : undefined;
    const wish = { spec, parentIndex: parent.index, family: router.family, mac };
    return this.#parts.virtualLinks.want(id, wish);
  }

  #endpointSpec(config: InstanceConfig, { transmit }: Assessment): EndpointSpec | undefined {
    const { transport, authentication, router, vrf } = config;
    const named = config.interface === undefined ? undefined : transmit?.index;
    const device = vrf === undefined ? named : this.#parts.links.named(vrf)?.index;
    const bound = config.interface !== undefined || vrf !== undefined;
    if (bound && device === undefined) return undefined;
    return {
      family: router.family,
      protocol: authentication.kind === "ah" ? 51 : 112,
      interfaceIndex: device,
      group: transport.mode === "multicast" ? transport.group : undefined,
      ttl: timeToLive({ config }),
    };
  }

  #raise(router: Router, faults: readonly Fault[]): void {
    const raised = this.#raised.get(router) ?? [];
    const fresh = faults.filter((fault) => !raised.some((held) => sameFault(held, fault)));
    this.#raised.set(router, [...raised, ...fresh]);
    for (const fault of fresh) this.#parts.driver.deliver(router, { kind: "fault-raised", fault });
  }

  /** What is to be held is held now; what is not, was before. */
  #settle(router: Router, faults: readonly Fault[]): void {
    this.#raise(router, faults);
    const raised = this.#raised.get(router) ?? [];
    this.#raised.set(router, faults);
    for (const fault of raised) {
      if (faults.some((held) => sameFault(held, fault))) continue;
      this.#parts.driver.deliver(router, { kind: "fault-cleared", fault });
    }
  }

  #bind(router: Router, assessment: Assessment): void {
    const { binding } = router;
    const { base, transmit, home, source } = assessment;
    if (source !== binding.source) binding.templates = undefined;
    Object.assign(binding, { base, transmit, home, source });
    const spec = this.#endpointSpec(router.config, assessment);
    const { lease } = binding;
    if (spec === undefined || sameSpec(lease?.spec, spec)) {
      lease?.reserve(receiveRoom(router.config, transmit?.mtu));
      return;
    }
    try {
      binding.lease = this.#parts.pool.lease(spec, router.effective.vrid, router);
      binding.lease.reserve(receiveRoom(router.config, transmit?.mtu));
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      binding.lease = undefined;
      this.#parts.reports.host("error", router.name, `${error.message}; ${error.remedy}`);
    }
    lease?.release();
  }

  #socketFault(router: Router, { transmit, base }: Assessment): readonly Fault[] {
    const subject = transmit?.name ?? router.config.interface ?? router.name;
    // Without an interface there is a fault for that already.
    const missing = base === undefined && router.config.interface !== undefined;
    return missing ? [] : [{ cause: "socket", subject }];
  }

  #configure(router: Router, { priority, source, contributions }: Assessment): void {
    const previous = router.effective;
    const { router: configured } = router.config;
    router.contributions = datedContributions(
      contributions,
      router.contributions,
      this.#parts.wallClock(),
    );
    const fenced = configured.fenced && this.#parts.gateWorks();
    const effective = { ...configured, priority, fenced, primaryAddress: source };
    if (JSON.stringify(effective) === JSON.stringify(previous)) return;
    router.effective = effective;
    router.binding.templates = undefined;
    this.#parts.driver.deliver(router, { kind: "configured", previous });
    if (previous.priority !== priority)
      this.#parts.reports.priority(router, previous.priority, priority);
  }
}

const sameSpec = (a: EndpointSpec | undefined, b: EndpointSpec): boolean =>
  a !== undefined && JSON.stringify(a) === JSON.stringify(b);

function linkWith(network: Network, address: IpAddress): Link | undefined {
  for (const link of network.links().values()) {
    if (network.addresses(link.index).some((one) => one.address === address)) return link;
  }
  return undefined;
}
