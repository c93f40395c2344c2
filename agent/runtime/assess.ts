import type { AddressConfig, InstanceConfig, SyncGroupConfig } from "../config/config.ts";
import type { IpAddress } from "../core/address.ts";
import { isLinkLocal } from "../core/address.ts";
import { trackChecks, trackClaims, trackedByMember } from "../core/track/check.ts";
import type { Contribution } from "../core/track/interface.ts";
import { trackInterfaces } from "../core/track/interface.ts";
import { effectivePriority } from "../core/track/priority.ts";
import type { ClaimInForce } from "../core/track/readings.ts";
import type { Reading, TrackerId } from "../core/track/tracking.ts";
import type { Fault } from "../core/vrrp/fault.ts";
import type { HostAddress, Link } from "../ports/network.ts";

/** What a router can see of its host. */
export interface HostView {
  link(name: string): Link | undefined;
  isUp(name: string): boolean;
  addresses(interfaceIndex: number): readonly HostAddress[];
  /** The interface that has this address. */
  linkWith(address: IpAddress): Link | undefined;
  /** The router's own virtual link, once it is made. */
  readonly virtualLink: Link | undefined;
  reading(tracker: TrackerId): Reading;
  /** What policies claim of this router. */
  readonly claims: readonly ClaimInForce[];
}

/** What the host lets a router be, here and now. */
export interface Assessment {
  /** The configured interface. */
  readonly base: Link | undefined;
  /** Where advertisements travel. */
  readonly transmit: Link | undefined;
  /** Where addresses go that name no interface. */
  readonly home: Link | undefined;
  readonly source: IpAddress | undefined;
  readonly priority: number;
  readonly contributions: readonly Contribution[];
  readonly faults: readonly Fault[];
  /** It is not to start before these have a result. */
  readonly unknown: readonly TrackerId[];
}

/** Level-triggered: the same host always gives the same answer, whatever happened before. */
export function assess(
  config: InstanceConfig,
  group: SyncGroupConfig | undefined,
  host: HostView,
): Assessment {
  const base = baseLink(config, host);
  const home = config.virtualLink === undefined ? base : host.virtualLink;
  const transmit = config.virtualLink?.transmitOnBase === true ? base : home;
  const source = sourceAddress(config, base, host);
  const tracking = track(config, group, host);
  const faults = [
    ...linkFaults(config, base, home, host),
    ...sourceFaults(config, base, source, host),
    ...tracking.flatMap((part) => part.faults),
  ];
  const contributions = tracking.flatMap((part) => part.contributions);
  return {
    base,
    transmit,
    home,
    source,
    priority: effectivePriority(config.router.priority, contributions),
    contributions,
    faults: distinct(faults),
    unknown: tracking.flatMap(({ unknown = [] }) => unknown),
  };
}

type Tracking = Pick<Assessment, "faults" | "contributions"> & Partial<Pick<Assessment, "unknown">>;

function track(
  config: InstanceConfig,
  group: SyncGroupConfig | undefined,
  host: HostView,
): readonly Tracking[] {
  const weighted = group === undefined || group.weightedTracking;
  const checks = group === undefined ? config.trackers : trackedByMember(config.trackers, group);
  const shared = group?.trackInterfaces ?? [];
  const own = config.trackInterfaces.filter(
    (one) => !shared.some((other) => other.interface === one.interface),
  );
  return [
    // As in keepalived: what the group tracks has its weight in any case.
    trackInterfaces(own, host.isUp, weighted),
    trackInterfaces(shared, host.isUp, true),
    trackChecks(checks, host.reading),
    trackClaims(host.claims),
  ];
}

/** Every address of the instance that has an interface of its own, with that interface's name. */
export function* foreignInterfaces(
  config: InstanceConfig,
): Generator<readonly [string, AddressConfig]> {
  for (const address of [...config.addresses, ...config.excludedAddresses]) {
    const name = address.interface;
    if (name !== undefined && name !== config.interface) yield [name, address];
  }
}

function baseLink(config: InstanceConfig, host: HostView): Link | undefined {
  if (config.interface !== undefined) return host.link(config.interface);
  return config.sourceAddress === undefined ? undefined : host.linkWith(config.sourceAddress);
}

function linkFaults(
  config: InstanceConfig,
  base: Link | undefined,
  home: Link | undefined,
  host: HostView,
): readonly Fault[] {
  const faults: Fault[] = [...missingLinks(config, host)];
  const name = config.interface ?? base?.name;
  if (base === undefined) {
    if (name !== undefined) faults.push({ cause: "interface-missing", subject: name });
  } else if (name !== undefined && !config.ignorePrimaryInterface && !host.isUp(name)) {
    faults.push({ cause: "interface-down", subject: name });
  } else if (home === undefined) {
    faults.push({ cause: "interface-missing", subject: config.virtualLink?.name ?? base.name });
  }
  for (const [foreign, address] of foreignInterfaces(config)) {
    const own = foreign === config.virtualLink?.name;
    if (own || address.noTrack || host.isUp(foreign)) continue;
    faults.push({ cause: "tracked-interface-down", subject: foreign });
  }
  return faults;
}

/** The VRF, and virtual links that are still to be made on an interface that is there. */
function* missingLinks({ vrf, addressLinks }: InstanceConfig, host: HostView): Generator<Fault> {
  if (vrf !== undefined && host.link(vrf) === undefined) {
    yield { cause: "interface-missing", subject: vrf };
  }
  for (const { interface: below, link } of addressLinks) {
    if (host.link(below) === undefined || host.link(link.name) !== undefined) continue;
    yield { cause: "interface-missing", subject: link.name };
  }
}

function sourceFaults(
  config: InstanceConfig,
  base: Link | undefined,
  source: IpAddress | undefined,
  host: HostView,
): readonly Fault[] {
  const faults: Fault[] = [];
  const { transport, sourceAddress: wanted } = config;
  if (transport.mode === "unicast" && transport.peers.length === 0 && transport.faultWithoutPeer) {
    faults.push({ cause: "no-unicast-peer", subject: config.router.name });
  }
  const must = config.trackSourceAddress || config.interface === undefined;
  const gone = wanted !== undefined && must && host.linkWith(wanted) === undefined;
  if (gone) faults.push({ cause: "source-address-missing", subject: wanted });
  else if (source === undefined && base !== undefined) {
    faults.push({ cause: "source-address-missing", subject: base.name });
  }
  return faults;
}

/**
 * The configured address, else the first that the host has there by itself: RFC 9568 §5.1.1.1 (the
 * primary IPv4 address) and §5.1.2.1 (IPv6: the link-local one).
 */
function sourceAddress(
  config: InstanceConfig,
  base: Link | undefined,
  host: HostView,
): IpAddress | undefined {
  if (config.sourceAddress !== undefined) return config.sourceAddress;
  return base === undefined ? undefined : ownAddress(config, host.addresses(base.index));
}

/** Of the addresses of an interface, the one that this router's packets come from there. */
export function ownAddress(
  config: InstanceConfig,
  addresses: readonly HostAddress[],
): IpAddress | undefined {
  const { family } = config.router;
  const virtual = new Set(
    [...config.addresses, ...config.excludedAddresses].map(({ address }) => address),
  );
  const candidates = addresses.filter(
    (one) => one.family === family && !one.ours && !one.tentative,
  );
  if (family === "ipv6") return candidates.find((one) => isLinkLocal(one.address))?.address;
  // An owner's addresses are on the host by themselves: they are second choice only.
  const own = candidates.filter((one) => !virtual.has(one.address));
  const [first] = own.length > 0 ? own : candidates;
  return own.find((one) => !one.secondary)?.address ?? first?.address;
}

function distinct(faults: readonly Fault[]): readonly Fault[] {
  if (faults.length < 2) return faults;
  const byKey = new Map(faults.map((fault) => [`${fault.cause} ${fault.subject}`, fault]));
  return [...byKey.values()];
}
