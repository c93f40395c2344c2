import type { Nexthop, RouteConfig } from "../../config/config.ts";
import type { Family, IpAddress } from "../../core/address.ts";
import { addressBytes, familyOf } from "../../core/address.ts";
import type { Attributes } from "../../wire/netlink/attribute.ts";
import {
  BodyWriter,
  decodeAttributes,
  decodeLengthPrefixed,
  integerIn,
} from "../../wire/netlink/attribute.ts";
import { encodeMessage, FLAG } from "../../wire/netlink/message.ts";
import {
  familyNumber,
  familyWithNumber,
  RTA,
  RTAX,
  RTM,
  RTN,
  RTNH_ONLINK,
  SCOPE,
  TABLE,
} from "../../wire/netlink/rtnetlink.ts";
import { writeEncapsulation } from "./encapsulation.ts";
import { ADDRESS_MARK } from "./mark.ts";

/**
 * rtm_protocol and FRA_PROTOCOL of what this agent adds: the number of its addresses' mark, which nobody
 * else has. That of keepalived (18) may be keepalived's own: what carries ours is removed without asking.
 */
export const ROUTE_MARK = ADDRESS_MARK;

const HEADER = 12;
/** `rtnexthop`. */
const NEXTHOP_HEADER = 8;
const REQUEST = FLAG.request | FLAG.ack;
const PREFERENCES = { low: 3, medium: 0, high: 1 } as const;
/** What the kernel gives an IPv6 route that names no metric. */
const IPV6_DEFAULT_METRIC = 1024;

/** Interface names to indexes; `fallback` is for a route that names no way at all. */
export interface RouteInterfaces {
  indexOf(name: string): number | undefined;
  readonly fallback: number | undefined;
}

/** By what a route is told from others. `undefined`: not said, so it fits any. */
export interface RouteIdentity {
  readonly family: Family;
  readonly table: number;
  readonly type: number;
  readonly protocol: number;
  readonly tos: number;
  /** Prefix length, then the bytes; empty for the default route. */
  readonly destination: string;
  readonly source: string;
  readonly metric: number;
  /** Of the route or of its next hops. */
  readonly gateways: readonly string[];
  readonly interfaceIndex: number | undefined;
}

/** All routes of one family and protocol; a kernel before 4.20 answers with every route. */
export const routeDumpBody = (family: Family, protocol: number): Uint8Array =>
  new BodyWriter().u8(familyNumber(family)).u8(0).u16(0).u8(0).u8(protocol).u16(0).u32(0).finish();

/** Interfaces that the route names and the host does not have. */
export function missingInterfaces(
  route: RouteConfig,
  interfaces: RouteInterfaces,
): readonly string[] {
  const names = [route.interface, ...route.nexthops.map((nexthop) => nexthop.interface)];
  return names.filter(
    (name): name is string => name !== undefined && interfaces.indexOf(name) === undefined,
  );
}

/** Without a word about others, IPv4 puts a route before them: iproute2's prepend. */
const MODES: Readonly<Record<RouteConfig["mode"], number>> = {
  replace: FLAG.replace,
  append: FLAG.append,
  prepend: 0,
};

export function encodeRouteInstall(route: RouteConfig, interfaces: RouteInterfaces): Uint8Array {
  const flags = REQUEST | FLAG.create | MODES[route.mode];
  return encodeMessage(RTM.newRoute, flags, routeBody(route, interfaces));
}

export function encodeRouteRemoval(route: RouteConfig, interfaces: RouteInterfaces): Uint8Array {
  return encodeMessage(RTM.deleteRoute, REQUEST, routeBody(route, interfaces));
}

/** The removal of a route that the kernel showed, by the body in which it did. */
export const encodeShownRouteRemoval = (body: Uint8Array): Uint8Array =>
  encodeMessage(RTM.deleteRoute, REQUEST, body);

export const identityOfRoute = (
  route: RouteConfig,
  interfaces: RouteInterfaces,
): RouteIdentity | undefined => decodeRoute(routeBody(route, interfaces));

/** The route that a message is about; `undefined` for other families and cached clones. */
export function decodeRoute(body: Uint8Array): RouteIdentity | undefined {
  const [familyCode, toLength, fromLength, tos, shortTable, protocol, , type] = body;
  const family = familyWithNumber(familyCode);
  if (body.length < HEADER || family === undefined) return undefined;
  const attributes = decodeAttributes(body, HEADER);
  return {
    family,
    table: integerIn(attributes.get(RTA.table)) ?? shortTable ?? 0,
    type: type ?? 0,
    protocol: protocol ?? 0,
    tos: family === "ipv4" ? (tos ?? 0) : 0,
    destination: prefixText(toLength ?? 0, attributes.get(RTA.destination)),
    source: prefixText(fromLength ?? 0, attributes.get(RTA.source)),
    metric: metricOf(family, integerIn(attributes.get(RTA.priority))),
    gateways: gatewaysIn(attributes),
    interfaceIndex: integerIn(attributes.get(RTA.outputInterface)),
  };
}

/** Whether the route that the kernel shows is the wanted one. */
export function sameRoute(wanted: RouteIdentity, shown: RouteIdentity): boolean {
  const fits = (a: unknown, b: unknown) => a === undefined || b === undefined || a === b;
  return (
    wanted.family === shown.family &&
    wanted.table === shown.table &&
    wanted.type === shown.type &&
    wanted.protocol === shown.protocol &&
    wanted.tos === shown.tos &&
    wanted.destination === shown.destination &&
    wanted.source === shown.source &&
    wanted.metric === shown.metric &&
    wanted.gateways.every((gateway) => shown.gateways.includes(gateway)) &&
    fits(wanted.interfaceIndex, shown.interfaceIndex)
  );
}

/** IPv6 shows routes that differ only in their gateway as one with several next hops. */
function gatewaysIn(attributes: Attributes): readonly string[] {
  const own = attributes.get(RTA.gateway) ?? attributes.get(RTA.via);
  const nexthops = decodeLengthPrefixed(attributes.get(RTA.multipath), NEXTHOP_HEADER);
  return [own, ...nexthops.map((hop) => hop.get(RTA.gateway) ?? hop.get(RTA.via))].flatMap(
    (gateway) => gateway?.join(".") ?? [],
  );
}

function routeBody(route: RouteConfig, interfaces: RouteInterfaces): Uint8Array {
  const { destination, source, family } = route;
  const table = route.table ?? defaultTable(route);
  const body = new BodyWriter()
    .u8(familyNumber(family))
    .u8(destination?.length ?? 0)
    .u8(source?.length ?? 0)
    .u8(route.tos ?? 0)
    .u8(table < 256 ? table : TABLE.compatible)
    .u8(route.protocol ?? ROUTE_MARK)
    .u8(route.scope ?? defaultScope(route))
    .u8(RTN[route.type])
    .u32(route.onlink ? RTNH_ONLINK : 0)
    .attributeU32(RTA.table, table);
  if (destination !== undefined && destination.length > 0) {
    body.attributeBytes(RTA.destination, networkBytes(destination.address, destination.length));
  }
  if (source !== undefined && source.length > 0) {
    body.attributeBytes(RTA.source, networkBytes(source.address, source.length));
  }
  if (route.preferredSource !== undefined) {
    body.attributeBytes(RTA.preferredSource, addressBytes(route.preferredSource));
  }
  if (route.metric !== undefined) body.attributeU32(RTA.priority, route.metric);
  writeWay(body, route, interfaces);
  writeQualities(body, route);
  return body.finish();
}

function writeWay(body: BodyWriter, route: RouteConfig, interfaces: RouteInterfaces): void {
  const { gateway, nexthops, family, encapsulation } = route;
  if (gateway !== undefined) writeGateway(body, family, gateway);
  const index =
    route.interface === undefined
      ? fallbackFor(route, interfaces)
      : interfaces.indexOf(route.interface);
  if (index !== undefined) body.attributeU32(RTA.outputInterface, index);
  if (encapsulation !== undefined) writeEncapsulation(body, encapsulation);
  if (nexthops.length === 0) return;
  body.nested(RTA.multipath, (list) => {
    for (const nexthop of nexthops) writeNexthop(list, family, nexthop, interfaces);
  });
}

function writeNexthop(
  list: BodyWriter,
  family: Family,
  nexthop: Nexthop,
  interfaces: RouteInterfaces,
): void {
  const { gateway, realms, encapsulation } = nexthop;
  const index = nexthop.interface === undefined ? 0 : interfaces.indexOf(nexthop.interface);
  list.lengthPrefixed((item) => {
    item
      .u8(nexthop.onlink ? RTNH_ONLINK : 0)
      .u8(nexthop.weight - 1)
      .u32(index ?? 0);
    if (gateway !== undefined) writeGateway(item, family, gateway);
    if (realms !== undefined) item.attributeU32(RTA.realms, realms);
    if (encapsulation !== undefined) writeEncapsulation(item, encapsulation);
  });
}

/** A gateway of the other family travels in RTA_VIA (RFC 5549). */
function writeGateway(body: BodyWriter, family: Family, gateway: IpAddress): void {
  const other = familyOf(gateway);
  if (other === family) {
    body.attributeBytes(RTA.gateway, addressBytes(gateway));
    return;
  }
  body.attribute(RTA.via, (via) => via.u16(familyNumber(other)).bytes(addressBytes(gateway)));
}

function writeQualities(body: BodyWriter, route: RouteConfig): void {
  const { realms, expires, preference, ttlPropagate } = route;
  if (realms !== undefined) body.attributeU32(RTA.realms, realms);
  if (preference !== undefined) body.attributeU8(RTA.preference, PREFERENCES[preference]);
  if (expires !== undefined) body.attributeU32(RTA.expires, expires);
  if (ttlPropagate !== undefined) body.attributeU8(RTA.ttlPropagate, ttlPropagate ? 1 : 0);
  writeMetrics(body, route);
}

function writeMetrics(body: BodyWriter, { metrics, congestionControl }: RouteConfig): void {
  if (metrics.length === 0 && congestionControl === undefined) return;
  const locked = [
    ...metrics.filter(({ lock }) => lock).map(({ name }) => RTAX[name]),
    ...(congestionControl?.lock === true ? [RTAX.congestionControl] : []),
  ].reduce((bits, metric) => bits | (1 << metric), 0);
  body.nested(RTA.metrics, (list) => {
    if (locked !== 0) list.attributeU32(RTAX.lock, locked);
    for (const { name, value } of metrics) list.attributeU32(RTAX[name], value);
    if (congestionControl !== undefined) {
      list.attributeText(RTAX.congestionControl, congestionControl.name);
    }
  });
}

/** A route that says neither gateway nor next hops leaves by the default interface. */
function fallbackFor(
  { type, gateway, nexthops }: RouteConfig,
  { fallback }: RouteInterfaces,
): number | undefined {
  const needsWay = RTN[type] < RTN.blackhole && gateway === undefined && nexthops.length === 0;
  return needsWay ? fallback : undefined;
}

const defaultTable = ({ type }: RouteConfig): number =>
  type === "local" || type === "broadcast" || type === "anycast" || type === "nat"
    ? TABLE.local
    : TABLE.main;

/** As iproute2 has it; IPv6 knows no scopes. */
function defaultScope({ type, family, gateway, nexthops }: RouteConfig): number {
  if (family === "ipv6") return SCOPE.universe;
  if (type === "local" || type === "nat") return SCOPE.host;
  if (type === "broadcast" || type === "multicast" || type === "anycast") return SCOPE.link;
  return type === "unicast" && gateway === undefined && nexthops.length === 0
    ? SCOPE.link
    : SCOPE.universe;
}

/** The kernel refuses a destination with bits set beyond its prefix. */
export function networkBytes(address: IpAddress, length: number): Uint8Array {
  return addressBytes(address).map((byte, at) => {
    const hostBits = 0xff >> Math.max(0, Math.min(8, length - at * 8));
    return byte & ~hostBits;
  });
}

const metricOf = (family: Family, metric: number | undefined): number =>
  metric || (family === "ipv6" ? IPV6_DEFAULT_METRIC : 0);

const prefixText = (length: number, bytes: Uint8Array | undefined): string =>
  length === 0 ? "" : `${length} ${bytes?.join(".") ?? ""}`;
