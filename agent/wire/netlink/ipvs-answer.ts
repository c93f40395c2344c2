import type { Family, IpAddress } from "../../core/address.ts";
import { addressFromBytes } from "../../core/address.ts";
import type { IpvsTimeouts, SyncDaemon } from "../../core/ipvs/connections.ts";
import type {
  Destination,
  Forwarding,
  Persistence,
  Service,
  ServiceTarget,
} from "../../core/ipvs/service.ts";
import { familyOfService } from "../../core/ipvs/service.ts";
import type { DestinationCounters, TrafficCounters } from "../../core/ipvs/traffic.ts";
import type { Attributes } from "./attribute.ts";
import { byteOrder, decodeAttributes, integerIn, textIn } from "./attribute.ts";
import { GENERIC_HEADER } from "./generic.ts";
import {
  DAEMON,
  DAEMON_ROLE,
  DESTINATION,
  FORWARDING,
  PROTOCOL,
  SERVICE,
  SERVICE_FLAG,
  STATS,
  TOP,
  TUNNEL_CHECKSUM,
  TUNNEL_TYPE,
} from "./ipvs-numbers.ts";
import type { NetlinkMessage } from "./message.ts";
import { familyWithNumber } from "./rtnetlink.ts";

// What ip_vs answers. A message that lacks what it must have is `undefined`.

export interface ServiceReport {
  readonly service: Service;
  readonly counters: TrafficCounters;
}

export interface DestinationReport {
  readonly destination: Destination;
  readonly counters: DestinationCounters;
}

export function decodeService(message: NetlinkMessage): ServiceReport | undefined {
  const attributes = inside(message, TOP.service);
  const target = targetIn(attributes);
  if (target === undefined) return undefined;
  const flags = integerIn(attributes.get(SERVICE.flags)?.subarray(0, 4)) ?? 0;
  const [first, second, third] = SERVICE_FLAG.scheduler;
  const service: Service = {
    target,
    scheduler: textIn(attributes.get(SERVICE.scheduler)) ?? "",
    schedulerFlags: [(flags & first) !== 0, (flags & second) !== 0, (flags & third) !== 0],
    onePacket: (flags & SERVICE_FLAG.onePacket) !== 0,
    persistence:
      (flags & SERVICE_FLAG.persistent) === 0 ? undefined : persistenceIn(attributes, target),
  };
  return { service, counters: countersIn(attributes, SERVICE) };
}

/** `family`: of the service; kernels before 3.18 do not name the destination's own. */
export function decodeDestination(
  message: NetlinkMessage,
  family: Family,
): DestinationReport | undefined {
  const attributes = inside(message, TOP.destination);
  const number = (type: number): number => integerIn(attributes.get(type)) ?? 0;
  const own = familyWithNumber(number(DESTINATION.family)) ?? family;
  const address = addressIn(attributes.get(DESTINATION.address), own);
  const port = portIn(attributes.get(DESTINATION.port));
  if (address === undefined || port === undefined) return undefined;
  return {
    destination: {
      address,
      port,
      forwarding: forwardingIn(attributes),
      weight: number(DESTINATION.weight),
      upperThreshold: number(DESTINATION.upperThreshold),
      lowerThreshold: number(DESTINATION.lowerThreshold),
    },
    counters: {
      ...countersIn(attributes, DESTINATION),
      activeConnections: number(DESTINATION.active),
      inactiveConnections: number(DESTINATION.inactive),
      persistentConnections: number(DESTINATION.persistent),
    },
  };
}

export function decodeTimeouts({ body }: NetlinkMessage): IpvsTimeouts | undefined {
  const attributes = decodeAttributes(body, GENERIC_HEADER);
  const tcp = integerIn(attributes.get(TOP.timeoutTcp));
  const tcpFin = integerIn(attributes.get(TOP.timeoutTcpFin));
  const udp = integerIn(attributes.get(TOP.timeoutUdp));
  if (tcp === undefined || tcpFin === undefined || udp === undefined) return undefined;
  return { tcp, tcpFin, udp };
}

export function decodeDaemon(message: NetlinkMessage): SyncDaemon | undefined {
  const attributes = inside(message, TOP.daemon);
  const role = keyOf(DAEMON_ROLE, integerIn(attributes.get(DAEMON.role)));
  const link = textIn(attributes.get(DAEMON.interface));
  if (role === undefined || link === undefined) return undefined;
  return {
    role,
    interface: link,
    syncId: integerIn(attributes.get(DAEMON.syncId)) ?? 0,
    maxLength: integerIn(attributes.get(DAEMON.maxLength)),
    port: integerIn(attributes.get(DAEMON.port)),
    ttl: integerIn(attributes.get(DAEMON.ttl)),
    group:
      addressIn(attributes.get(DAEMON.group), "ipv4") ??
      addressIn(attributes.get(DAEMON.group6), "ipv6"),
  };
}

const inside = ({ body }: NetlinkMessage, type: number): Attributes =>
  decodeAttributes(decodeAttributes(body, GENERIC_HEADER).get(type) ?? new Uint8Array(), 0);

function targetIn(attributes: Attributes): ServiceTarget | undefined {
  const family = familyWithNumber(integerIn(attributes.get(SERVICE.family)));
  if (family === undefined) return undefined;
  const fwmark = integerIn(attributes.get(SERVICE.fwmark));
  if (fwmark !== undefined) return { kind: "fwmark", fwmark, family };
  const protocol = keyOf(PROTOCOL, integerIn(attributes.get(SERVICE.protocol)));
  const address = addressIn(attributes.get(SERVICE.address), family);
  const port = portIn(attributes.get(SERVICE.port));
  if (protocol === undefined || address === undefined || port === undefined) return undefined;
  return { kind: "address", protocol, address, port };
}

function persistenceIn(attributes: Attributes, target: ServiceTarget): Persistence {
  const netmask = attributes.get(SERVICE.netmask);
  return {
    timeout: integerIn(attributes.get(SERVICE.timeout)) ?? 0,
    prefixLength:
      familyOfService(target) === "ipv6" ? (integerIn(netmask) ?? 128) : onesIn(netmask),
    engine: textIn(attributes.get(SERVICE.engine)),
  };
}

function onesIn(mask: Uint8Array | undefined): number {
  let ones = 0;
  for (const byte of mask ?? [0xff, 0xff, 0xff, 0xff]) {
    for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1;
  }
  return ones;
}

/** The kernel knows two ways more, for its own use, that no tool asks for: they count as NAT. */
function forwardingIn(attributes: Attributes): Forwarding {
  const number = (type: number): number => integerIn(attributes.get(type)) ?? 0;
  const kind = keyOf(FORWARDING, number(DESTINATION.forwarding)) ?? "nat";
  if (kind !== "tunnel") return { kind };
  return {
    kind,
    tunnel: {
      type: keyOf(TUNNEL_TYPE, number(DESTINATION.tunnelType)) ?? "ipip",
      port: portIn(attributes.get(DESTINATION.tunnelPort)) ?? 0,
      checksum: keyOf(TUNNEL_CHECKSUM, number(DESTINATION.tunnelFlags)) ?? "none",
    },
  };
}

/** Kernels before 4.1 have the shorter counters alone. */
function countersIn(
  attributes: Attributes,
  types: { readonly stats: number; readonly stats64: number },
): TrafficCounters {
  const nest = attributes.get(types.stats64) ?? attributes.get(types.stats);
  const counters = decodeAttributes(nest ?? new Uint8Array(), 0);
  const counter = (type: number): number => counterIn(counters.get(type));
  return {
    connections: counter(STATS.connections),
    inPackets: counter(STATS.inPackets),
    outPackets: counter(STATS.outPackets),
    inBytes: counter(STATS.inBytes),
    outBytes: counter(STATS.outBytes),
  };
}

function counterIn(bytes: Uint8Array | undefined): number {
  if (bytes?.length !== 8) return integerIn(bytes) ?? 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Number(view.getBigUint64(0, byteOrder));
}

function addressIn(bytes: Uint8Array | undefined, family: Family): IpAddress | undefined {
  const length = family === "ipv4" ? 4 : 16;
  if (bytes === undefined || bytes.length < length) return undefined;
  return addressFromBytes(bytes.subarray(0, length));
}

function portIn(bytes: Uint8Array | undefined): number | undefined {
  const [high, low] = bytes ?? [];
  return high === undefined || low === undefined ? undefined : high * 256 + low;
}

/** The name of a number in one of the tables. */
function keyOf<Key extends string>(
  table: Readonly<Record<Key, number>>,
  wanted: number | undefined,
): Key | undefined {
  for (const key in table) if (table[key] === wanted) return key;
  return undefined;
}
