import type { AddressConfig } from "../../config/config.ts";
import type { Family, IpAddress } from "../../core/address.ts";
import { addressBytes, addressFromBytes, familyOf } from "../../core/address.ts";
import type { AddressRequest, HostAddress } from "../../ports/network.ts";
import {
  BodyWriter,
  byteOrder,
  decodeAttributes,
  integerIn,
} from "../../wire/netlink/attribute.ts";
import { encodeMessage, FLAG } from "../../wire/netlink/message.ts";
import {
  AF,
  familyNumber,
  familyWithNumber,
  IFA,
  IFA_FLAG,
  RTM,
  SCOPE,
} from "../../wire/netlink/rtnetlink.ts";

const HEADER = 8;
const REQUEST = FLAG.request | FLAG.ack;
const FOR_EVER = 0xffff_ffff;

/** An address as the kernel has it, before anybody says whose it is. */
export interface AddressRecord {
  /** Tells this address from every other on the host; see `keyOfRequest`. */
  readonly key: string;
  /** IFA_PROTO; 0 where the kernel does not say. */
  readonly protocol: number;
  readonly host: Omit<HostAddress, "ours">;
}

export const addressDumpBody = (): Uint8Array =>
  new BodyWriter().u32(AF.unspecified).u32(0).finish();

/** The address that an RTM_NEWADDR or RTM_DELADDR is about; `undefined` for other families. */
export function decodeAddress(body: Uint8Array): AddressRecord | undefined {
  const [familyCode, prefixLength, shortFlags, scope] = body;
  const family = familyWithNumber(familyCode);
  if (body.length < HEADER || family === undefined || scope === undefined) return undefined;
  const attributes = decodeAttributes(body, HEADER);
  const far = attributes.get(IFA.address);
  const near = attributes.get(IFA.local) ?? far;
  if (near === undefined || far === undefined || prefixLength === undefined) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const interfaceIndex = view.getUint32(4, byteOrder);
  const flags = integerIn(attributes.get(IFA.flags)) ?? shortFlags ?? 0;
  const address = addressFromBytes(near);
  const peer = addressFromBytes(far);
  return {
    key: keyOf(interfaceIndex, address, prefixLength, peer),
    protocol: integerIn(attributes.get(IFA.protocol)) ?? 0,
    host: {
      interfaceIndex,
      family,
      address,
      prefixLength,
      scope,
      secondary: family === "ipv4" && (flags & IFA_FLAG.secondary) !== 0,
      tentative: (flags & IFA_FLAG.tentative) !== 0,
    },
  };
}

/** The key that the kernel's record of this address has, or will have. */
export function keyOfRequest({ interfaceIndex, address: config }: AddressRequest): string {
  const { address, peer, prefixLength } = config;
  return keyOf(interfaceIndex, address, peer?.length ?? prefixLength, peer?.address ?? address);
}

/** `mode`: fail if it is there, or refresh it. `mark`: IFA_PROTO, 1–255. */
export function encodeAddressInstall(
  request: AddressRequest,
  mode: "new" | "refresh",
  mark: number,
): Uint8Array {
  const flags = FLAG.create | (mode === "new" ? FLAG.exclusive : FLAG.replace);
  return encodeMessage(RTM.newAddress, REQUEST | flags, installBody(request, mark));
}

/** The same as `refresh`, for a batch of which the kernel answers only what it refuses. */
export const encodeAddressRefresh = (request: AddressRequest, mark: number): Uint8Array =>
  encodeMessage(
    RTM.newAddress,
    FLAG.request | FLAG.create | FLAG.replace,
    installBody(request, mark),
  );

function installBody(request: AddressRequest, mark: number): Uint8Array {
  const { address: config } = request;
  const body = start(request);
  const broadcast = broadcastOf(config);
  if (broadcast !== undefined) body.attributeBytes(IFA.broadcast, broadcast);
  if (config.label !== undefined && familyOf(config.address) === "ipv4") {
    body.attributeText(IFA.label, config.label);
  }
  body.attributeU32(IFA.flags, flagsOf(config));
  const { preferredLifetime = FOR_EVER } = config;
  const valid = request.lifetime ?? FOR_EVER;
  if (preferredLifetime !== FOR_EVER || valid !== FOR_EVER) {
    // Preferred for longer than it is there would be refused.
    const preferred = Math.min(preferredLifetime, valid);
    body.attribute(IFA.cacheInfo, (info) => info.u32(preferred).u32(valid).u32(0).u32(0));
  }
  return body.attributeU8(IFA.protocol, mark).finish();
}

export function encodeAddressRemoval(request: AddressRequest): Uint8Array {
  return encodeMessage(RTM.deleteAddress, REQUEST, start(request).finish());
}

/** A removal of what the kernel has, known by its record alone. */
export function encodeRecordRemoval({ host }: AddressRecord): Uint8Array {
  const body = header(host.family, host.prefixLength, host.scope, host.interfaceIndex);
  // Without IFA_ADDRESS any peer matches.
  body.attributeBytes(IFA.local, addressBytes(host.address));
  return encodeMessage(RTM.deleteAddress, REQUEST, body.finish());
}

function start({ interfaceIndex, address: config }: AddressRequest): BodyWriter {
  const { address, peer, prefixLength } = config;
  const family = familyOf(address);
  const scope = config.scope ?? defaultScope(address);
  return header(family, peer?.length ?? prefixLength, scope, interfaceIndex)
    .attributeBytes(IFA.local, addressBytes(address))
    .attributeBytes(IFA.address, addressBytes(peer?.address ?? address));
}

function header(
  family: Family,
  prefixLength: number,
  scope: number,
  interfaceIndex: number,
): BodyWriter {
  return new BodyWriter()
    .u8(familyNumber(family))
    .u8(prefixLength)
    .u8(0)
    .u8(scope)
    .u32(interfaceIndex);
}

function keyOf(
  interfaceIndex: number,
  address: IpAddress,
  prefixLength: number,
  peer: IpAddress,
): string {
  // The kernel keeps an IPv6 address once per interface, whatever the prefix and peer.
  if (familyOf(address) === "ipv6") return `${interfaceIndex} ${address}`;
  return `${interfaceIndex} ${address}/${prefixLength} ${peer}`;
}

/** As iproute2 has it: IPv4 loopback is the host's own. For IPv6 the kernel finds out by itself. */
const defaultScope = (address: IpAddress): number =>
  address.startsWith("127.") ? SCOPE.host : SCOPE.universe;

/**
 * IPv6 always without duplicate address detection: the address must work at once, and a moment with
 * two owners must not leave it `dadfailed` for good. VRRP decides whose it is.
 */
function flagsOf({ address, flags }: AddressConfig): number {
  const start = familyOf(address) === "ipv6" ? IFA_FLAG.nodad : 0;
  return flags.reduce((bits, flag) => bits | IFA_FLAG[flag], start);
}

/** "+": the host bits all set, "-": all clear. Only IPv4 has broadcast addresses. */
function broadcastOf({ address, broadcast, prefixLength, peer }: AddressConfig) {
  if (broadcast === undefined || familyOf(address) === "ipv6") return undefined;
  if (broadcast !== "+" && broadcast !== "-") return addressBytes(broadcast);
  const bytes = addressBytes(peer?.address ?? address);
  const length = peer?.length ?? prefixLength;
  return bytes.map((byte, at) => {
    const hostBits = 0xff >> Math.max(0, Math.min(8, length - at * 8));
    return broadcast === "+" ? byte | hostBits : byte & ~hostBits;
  });
}
