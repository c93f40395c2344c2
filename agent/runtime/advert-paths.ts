import type { InstanceConfig } from "../config/config.ts";
import type { IpAddress } from "../core/address.ts";
import type { EndpointSpec } from "../ports/advertisement-sockets.ts";
import { KernelError } from "../ports/error.ts";
import type { HostAddress, Link, Network } from "../ports/network.ts";
import type { AdvertPath } from "./advert-path.ts";
import { ownAddress } from "./assess.ts";
import type { EndpointPool } from "./endpoint-pool.ts";
import type { Links } from "./links.ts";
import { receiveRoom } from "./receive-room.ts";
import type { Reports } from "./reports.ts";
import type { Router } from "./router.ts";

/** What there is to go by, or why an interface cannot be used. */
type Place = { readonly link: Link; readonly source: IpAddress } | string;

interface Parts {
  readonly network: Network;
  readonly links: Links;
  readonly pool: EndpointPool<Router>;
  readonly reports: Reports;
}

/**
 * The further interfaces of routers. That one of them cannot be used is no fault: it is said when it
 * begins, and when it is over.
 *
 * The addresses on such an interface tell nothing of who is who on the router's own. So every
 * advertisement that goes there carries, at the end of its address list, the source address that it has
 * at home, and is taken as if it had come from there: ties, leases and resignations are decided alike,
 * whichever way was the one that worked.
 */
export class AdvertPaths {
  readonly #parts: Parts;
  /** By router: what was said of interfaces that cannot be used. */
  readonly #told = new Map<Router, Map<string, string>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Looks at the host anew. Idempotent. */
  bind(router: Router): void {
    const { paths } = router.binding;
    const names = interfacesOf(router.config);
    for (const [name, path] of paths) {
      if (names.includes(name)) continue;
      path.lease.release();
      paths.delete(name);
    }
    for (const name of names) this.#bindOne(router, name);
  }

  release(router: Router): void {
    for (const path of router.binding.paths.values()) path.lease.release();
    router.binding.paths.clear();
    this.#told.delete(router);
  }

  #bindOne(router: Router, name: string): void {
    const { paths } = router.binding;
    const known = paths.get(name);
    const place = this.#placeOf(router.config, name);
    const path = typeof place === "string" ? place : this.#lease(router, place, known);
    if (typeof path !== "string" && path === known) return;
    if (typeof path === "string") paths.delete(name);
    else paths.set(name, path);
    known?.lease.release();
    this.#tell(router, name, typeof path === "string" ? path : undefined);
  }

  #placeOf(config: InstanceConfig, name: string): Place {
    const { links, network } = this.#parts;
    const link = links.named(name);
    if (link === undefined) return "there is no such interface";
    if (!links.isUp(name)) return "it is down";
    const own: readonly HostAddress[] = network.addresses(link.index);
    const source = ownAddress(config, own);
    return source === undefined ? `it has no ${config.router.family} address` : { link, source };
  }

  #lease(
    router: Router,
    { link, source }: Exclude<Place, string>,
    known: AdvertPath | undefined,
  ): AdvertPath | string {
    const { transport, router: configured } = router.config;
    const spec: EndpointSpec = {
      family: configured.family,
      // AH has no further ways.
      protocol: 112,
      interfaceIndex: link.index,
      group: transport.mode === "multicast" ? transport.group : undefined,
      ttl: 255,
    };
    const same =
      known?.source === source && JSON.stringify(known.lease.spec) === JSON.stringify(spec);
    if (same) return known;
    try {
      const lease = this.#parts.pool.lease(spec, configured.vrid, router);
      lease.reserve(receiveRoom(router.config, link.mtu));
      return { source, lease, template: undefined };
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      return `${error.message}; ${error.remedy}`;
    }
  }

  #tell(router: Router, name: string, why: string | undefined): void {
    const told = this.#told.get(router) ?? new Map<string, string>();
    this.#told.set(router, told);
    const before = told.get(name);
    if (why === before) return;
    if (why === undefined) told.delete(name);
    else told.set(name, why);
    const text =
      why === undefined
        ? `advertisements travel over ${name} again`
        : `no advertisements travel over ${name}: ${why}`;
    this.#parts.reports.host(why === undefined ? "info" : "warn", router.name, text);
  }
}

/** Names of the further interfaces. */
export const interfacesOf = ({
  transport,
}: Pick<InstanceConfig, "transport">): readonly string[] =>
  transport.mode === "multicast" ? (transport.alsoOn ?? []) : [];
