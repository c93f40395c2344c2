import type { AddressConfig, RouteConfig, RuleConfig, VirtualLink } from "../config/config.ts";
import type { Family, IpAddress } from "../core/address.ts";

/** A network interface as the kernel shows it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** Six octets, lower case, colons; empty where the link has none. */
  readonly mac: string;
  /** IFF_UP: switched on by the administrator. */
  readonly up: boolean;
  /** IFF_RUNNING: the link carries. */
  readonly running: boolean;
  readonly mtu: number;
  /** IFLA_INFO_KIND, for example `macvlan`; `undefined` for hardware. */
  readonly kind: string | undefined;
  /** Index of the link below (macvlan, ipvlan, vlan). */
  readonly parentIndex: number | undefined;
  /** IFF_NOARP is not set. */
  readonly arp: boolean;
  /** Carries our mark: this agent made it. */
  readonly ours: boolean;
}

/** An address that the kernel has on an interface. */
export interface HostAddress {
  readonly interfaceIndex: number;
  readonly family: Family;
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** rtnetlink scope: 0 global, 253 link, 254 host. */
  readonly scope: number;
  readonly secondary: boolean;
  readonly tentative: boolean;
  /** Carries our mark: an earlier run or this one added it. */
  readonly ours: boolean;
}

/**
 * What changed on the host, in the kernel's order. `link` and `address-added` are told again when a
 * property changes. Our own removals of addresses and links are told as well, those of routes and
 * rules are not. After `resynchronized` every cached view may be different.
 */
export type NetworkEvent =
  | { readonly kind: "link"; readonly link: Link }
  | { readonly kind: "link-removed"; readonly index: number; readonly name: string }
  | { readonly kind: "address-added"; readonly address: HostAddress }
  | { readonly kind: "address-removed"; readonly address: HostAddress }
  | { readonly kind: "route-removed"; readonly route: RouteConfig }
  | { readonly kind: "rule-removed"; readonly rule: RuleConfig }
  | { readonly kind: "resynchronized"; readonly cause: "overrun" | "audit" };

/** An address, with the interface that is meant resolved to its index. */
export interface AddressRequest {
  readonly interfaceIndex: number;
  readonly address: AddressConfig;
  /**
   * valid_lft in whole seconds, 1 or more: the kernel removes the address by itself, from 0.25 s before
   * to 1.25 s after its end, unless it is refreshed. `undefined`: it stays.
   */
  readonly lifetime?: number | undefined;
}

/** How one request of a batch ended. */
export type RequestOutcome =
  | {
      readonly ok: true;
      /** It was there before and is not ours: it must not be removed either. */
      readonly foreign: boolean;
      /**
       * It is without the lifetime that was asked for, as what is to stay would end with it: secondaries
       * of its prefix, where promote_secondaries is off; for an IPv6 address that was there without a
       * lifetime, the route of its prefix. That one can have it when it is removed and added anew.
       */
      readonly unlimited?: boolean;
    }
  | { readonly ok: false; readonly errno: string; readonly message: string };

/** What an earlier run left, and was removed. */
export interface Leftovers {
  readonly addresses: number;
  readonly links: number;
  /** Some of its addresses may be here still. Kernels before 5.18 do not tell whose they are. */
  readonly left: boolean;
}

/**
 * The host's interfaces, addresses, routes and rules. Views are caches that events keep true; batches
 * are pipelined, and answer one outcome per request, in order. Nothing here throws for a single
 * refused request.
 */
export interface Network {
  links(): ReadonlyMap<number, Link>;
  linkByName(name: string): Link | undefined;
  addresses(interfaceIndex: number): readonly HostAddress[];
  subscribe(listener: (event: NetworkEvent) => void): () => void;

  /** Adds with our mark; an address that is there already and ours counts as installed. */
  installAddresses(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]>;
  /**
   * Lets lifetimes begin anew, for what is there and ours. Nothing is added that is not there any more
   * (EADDRNOTAVAIL), or that is about to be removed; where it may have ended, the host is looked at first.
   */
  refreshAddresses(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]>;
  /** An address that is gone already counts as removed. */
  removeAddresses(requests: readonly AddressRequest[]): Promise<readonly RequestOutcome[]>;
  /** `interfaceIndex` is the default where the route names no interface. */
  installRoutes(
    routes: readonly RouteConfig[],
    interfaceIndex: number | undefined,
  ): Promise<readonly RequestOutcome[]>;
  removeRoutes(
    routes: readonly RouteConfig[],
    interfaceIndex: number | undefined,
  ): Promise<readonly RequestOutcome[]>;
  installRules(rules: readonly RuleConfig[]): Promise<readonly RequestOutcome[]>;
  removeRules(rules: readonly RuleConfig[]): Promise<readonly RequestOutcome[]>;

  /**
   * Makes (or adopts, if ours) the virtual link on `parentIndex`, sets the sysctls of the vmac recipe,
   * and switches it on. Throws a KernelError when the kernel refuses.
   */
  createVirtualLink(
    spec: VirtualLink,
    parentIndex: number,
    family: Family,
    mac: string | undefined,
  ): Promise<Link>;
  removeVirtualLink(index: number): Promise<RequestOutcome>;

  /**
   * Everything that carries our mark and was left by an earlier run, routes and rules too. Throws a
   * KernelError when this process may not change the network at all.
   */
  removeLeftovers(): Promise<Leftovers>;

  /** net.ipv4|ipv6.conf.<interface>.<name>; `undefined` when the kernel has no such setting. */
  readSysctl(path: string): string | undefined;
  /** Answers the errno name when the kernel refuses. */
  writeSysctl(path: string, value: string): string | undefined;

  close(): void;
}
