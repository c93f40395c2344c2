import { addressBytes, familyOf } from "../../core/address.ts";
import type { IpvsTimeouts, SyncDaemon, SyncRole } from "../../core/ipvs/connections.ts";
import type { IpvsCommand } from "../../core/ipvs/reconcile.ts";
import type { Destination, Persistence, Service, ServiceTarget } from "../../core/ipvs/service.ts";
import { familyOfService, IPIP } from "../../core/ipvs/service.ts";
import type { BodyWriter } from "./attribute.ts";
import { genericHeader } from "./generic.ts";
import {
  COMMAND,
  DAEMON,
  DAEMON_ROLE,
  DESTINATION,
  FORWARDING,
  IPVS_VERSION,
  PROTOCOL,
  SERVICE,
  SERVICE_FLAG,
  TOP,
  TUNNEL_CHECKSUM,
  TUNNEL_TYPE,
} from "./ipvs-numbers.ts";
import { familyNumber } from "./rtnetlink.ts";

// The requests to ip_vs, each the body of a generic netlink message.

const ADDRESS_LENGTH = 16;
const ALL_BITS = 0xffff_ffff;

export function encodeCommand(command: IpvsCommand): Uint8Array {
  switch (command.kind) {
    case "add-service":
      return serviceRequest(COMMAND.newService, command.service);
    case "edit-service":
      return serviceRequest(COMMAND.setService, command.service);
    case "delete-service":
      return request(COMMAND.deleteService, command.target).finish();
    case "add-destination":
      return destinationRequest(COMMAND.newDestination, command.target, command.destination);
    case "edit-destination":
      return destinationRequest(COMMAND.setDestination, command.target, command.destination);
    case "delete-destination":
      return destinationRequest(COMMAND.deleteDestination, command.target, command.destination);
  }
}

/** For a dump of all services, in messages that `decodeService` reads. */
export const getServices = (): Uint8Array => header(COMMAND.getService).finish();

export const getService = (target: ServiceTarget): Uint8Array =>
  request(COMMAND.getService, target).finish();

/** For a dump of a service's destinations, in messages that `decodeDestination` reads. */
export const getDestinations = (target: ServiceTarget): Uint8Array =>
  request(COMMAND.getDestination, target).finish();

export const getTimeouts = (): Uint8Array => header(COMMAND.getConfig).finish();

export const setTimeouts = ({ tcp, tcpFin, udp }: IpvsTimeouts): Uint8Array =>
  header(COMMAND.setConfig)
    .attributeU32(TOP.timeoutTcp, tcp)
    .attributeU32(TOP.timeoutTcpFin, tcpFin)
    .attributeU32(TOP.timeoutUdp, udp)
    .finish();

export const getDaemons = (): Uint8Array => header(COMMAND.getDaemon).finish();

export const newDaemon = (daemon: SyncDaemon): Uint8Array =>
  header(COMMAND.newDaemon)
    .nested(TOP.daemon, (writer) => {
      writer
        .attributeU32(DAEMON.role, DAEMON_ROLE[daemon.role])
        .attributeText(DAEMON.interface, daemon.interface)
        .attributeU32(DAEMON.syncId, daemon.syncId);
      const { maxLength, port, ttl, group } = daemon;
      if (maxLength !== undefined) writer.attributeU16(DAEMON.maxLength, maxLength);
      if (port !== undefined) writer.attributeU16(DAEMON.port, port);
      if (ttl !== undefined) writer.attributeU8(DAEMON.ttl, ttl);
      if (group === undefined) return;
      const type = familyOf(group) === "ipv4" ? DAEMON.group : DAEMON.group6;
      writer.attributeBytes(type, addressBytes(group));
    })
    .finish();

/** The kernel wants an interface and an id here too, and does not look at them. */
export const deleteDaemon = (role: SyncRole): Uint8Array =>
  header(COMMAND.deleteDaemon)
    .nested(TOP.daemon, (writer) =>
      writer
        .attributeU32(DAEMON.role, DAEMON_ROLE[role])
        .attributeText(DAEMON.interface, "")
        .attributeU32(DAEMON.syncId, 0),
    )
    .finish();

const header = (command: number): BodyWriter => genericHeader(command, IPVS_VERSION);

const request = (command: number, target: ServiceTarget): BodyWriter =>
  header(command).nested(TOP.service, (writer) => writeTarget(writer, target));

const serviceRequest = (command: number, service: Service): Uint8Array =>
  header(command)
    .nested(TOP.service, (writer) => writeService(writer, service))
    .finish();

const destinationRequest = (
  command: number,
  target: ServiceTarget,
  destination: Destination,
): Uint8Array =>
  request(command, target)
    .nested(TOP.destination, (writer) => writeDestination(writer, destination))
    .finish();

function writeTarget(writer: BodyWriter, target: ServiceTarget): void {
  writer.attributeU16(SERVICE.family, familyNumber(familyOfService(target)));
  if (target.kind === "fwmark") {
    writer.attributeU32(SERVICE.fwmark, target.fwmark);
    return;
  }
  writer
    .attributeU16(SERVICE.protocol, PROTOCOL[target.protocol])
    .attributeBytes(SERVICE.address, paddedAddress(addressBytes(target.address)))
    .attributeBytes(SERVICE.port, networkOrder(target.port));
}

function writeService(writer: BodyWriter, service: Service): void {
  const { target, scheduler, persistence } = service;
  writeTarget(writer, target);
  writer.attributeText(SERVICE.scheduler, scheduler);
  if (persistence?.engine !== undefined) writer.attributeText(SERVICE.engine, persistence.engine);
  writer
    // Flags, and which of them are meant.
    .attribute(SERVICE.flags, (both) => both.u32(flagsOf(service)).u32(ALL_BITS))
    .attributeU32(SERVICE.timeout, persistence?.timeout ?? 0);
  writeNetmask(writer, target, persistence);
}

const flagsOf = ({ schedulerFlags, onePacket, persistence }: Service): number =>
  SERVICE_FLAG.scheduler.reduce<number>(
    (sum, flag, at) => sum | (schedulerFlags[at] ? flag : 0),
    0,
  ) |
  (persistence === undefined ? 0 : SERVICE_FLAG.persistent) |
  (onePacket ? SERVICE_FLAG.onePacket : 0);

/** A mask in network order for IPv4, a number of bits for IPv6. */
function writeNetmask(
  writer: BodyWriter,
  target: ServiceTarget,
  persistence: Persistence | undefined,
): void {
  if (familyOfService(target) === "ipv6") {
    writer.attributeU32(SERVICE.netmask, persistence?.prefixLength ?? 128);
    return;
  }
  const bits = persistence?.prefixLength ?? 32;
  // A shift by 32 would be one by 0.
  writer.attributeU32Network(SERVICE.netmask, bits === 0 ? 0 : (ALL_BITS << (32 - bits)) >>> 0);
}

function writeDestination(writer: BodyWriter, destination: Destination): void {
  const { address, port, forwarding, weight, upperThreshold, lowerThreshold } = destination;
  const tunnel = forwarding.kind === "tunnel" ? forwarding.tunnel : IPIP;
  writer
    .attributeU16(DESTINATION.family, familyNumber(familyOf(address)))
    .attributeBytes(DESTINATION.address, paddedAddress(addressBytes(address)))
    .attributeBytes(DESTINATION.port, networkOrder(port))
    .attributeU32(DESTINATION.forwarding, FORWARDING[forwarding.kind])
    .attributeU32(DESTINATION.weight, weight)
    .attributeU8(DESTINATION.tunnelType, TUNNEL_TYPE[tunnel.type])
    .attributeBytes(DESTINATION.tunnelPort, networkOrder(tunnel.port))
    .attributeU16(DESTINATION.tunnelFlags, TUNNEL_CHECKSUM[tunnel.checksum])
    .attributeU32(DESTINATION.upperThreshold, upperThreshold)
    .attributeU32(DESTINATION.lowerThreshold, lowerThreshold);
}

/** `nf_inet_addr` has room for the longer kind. */
function paddedAddress(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(ADDRESS_LENGTH);
  padded.set(bytes);
  return padded;
}

const networkOrder = (port: number): Uint8Array => Uint8Array.of(port >>> 8, port);
