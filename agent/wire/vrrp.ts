import type { Family, IpAddress } from "../core/address.ts";
import { addressBytes, addressFromBytes } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import type { Micros } from "../core/time.ts";
import { centiseconds, seconds } from "../core/time.ts";
import type { Decoded, DropReason } from "../core/vrrp/drop-reason.ts";
import { checksumOf, foldSum, pseudoHeaderSum, sumOf } from "./checksum.ts";
import { equalOctets, readUint16, writeUint16 } from "./octets.ts";

/** IP protocol number of VRRP. RFC 9568 §5.1. */
export const VRRP_PROTOCOL = 112;

/** 224.0.0.18. RFC 9568 §5.1.1.2. */
export const VRRP_GROUP_IPV4: Uint8Array = Uint8Array.of(224, 0, 0, 18);

/** Octets before the address list, in both versions and families. */
export const VRRP_HEADER_LENGTH = 8;

/** Octets of authentication data that end every v2 message. RFC 3768 §5.3.10. */
export const AUTHENTICATION_DATA_LENGTH = 8;

/** Octets of the trailer of `auth_hmac`. */
export const HMAC_TRAILER_LENGTH = 28;

const ADVERTISEMENT_TYPE = 1;
export const CHECKSUM_AT = 6;
const INTACT = 0xffff;

/** What a v3 checksum over IPv4 covers: the message (RFC 9568 §5.2.8), or a pseudo-header too. */
export type ChecksumForm = "message" | "pseudo-header";

/** One advertisement as it is sent. */
export interface AdvertisementMessage {
  readonly version: 2 | 3;
  /** 1–255. */
  readonly vrid: number;
  /** 0–255. */
  readonly priority: number;
  /** v2: 1–255 s, whole seconds; v3: 10 ms–40.95 s, whole centiseconds. */
  readonly maxAdvertiseInterval: Micros;
  /** 255 at most, all of the packet's family. */
  readonly addresses: readonly IpAddress[];
  /** v2 only: the type (0 none, 1 PASS, 2 AH) and up to 8 octets of data. */
  readonly authentication?: V2Authentication | undefined;
}

export interface V2Authentication {
  readonly type: number;
  readonly data: Uint8Array;
}

/** A router's own addresses, so that the same list in a message need not be read anew. */
export interface AddressList {
  readonly addresses: readonly IpAddress[];
  /** As they travel. */
  readonly octets: Uint8Array;
}

/** What the IP header around a message says. Addresses are 4 or 16 octets, in network order. */
export interface MessageContext {
  readonly family: Family;
  readonly source: Uint8Array;
  /** `undefined`: unknown, as the kernel verified the checksum (IPv6 raw sockets). */
  readonly destination: Uint8Array | undefined;
  /** The only version that counts; `undefined`: 2 or 3. */
  readonly version?: 2 | 3 | undefined;
  /** The only VRID that is known here, 0: none is; `undefined`: 1–255. */
  readonly vrid?: number | undefined;
  /** The router has no address of its own, so that a count of zero is what its peers send too. */
  readonly withoutAddresses?: boolean | undefined;
  /** Where the message has the same list, `addresses` of the answer is this very array. */
  readonly known?: AddressList | undefined;
  /** Refuse the pseudo-header with a multicast destination in unicast (keepalived before 1.3.7). */
  readonly refuseOldUnicastChecksum?: boolean | undefined;
}

/** One advertisement as it was received. */
export interface ReceivedMessage {
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly priority: number;
  readonly maxAdvertiseInterval: Micros;
  readonly addresses: readonly IpAddress[];
  /** The form of a v3 checksum over IPv4; `undefined` where there is only one. */
  readonly checksum: ChecksumForm | undefined;
  /** Unicast with the multicast group in the pseudo-header, as keepalived before 1.3.7 sends. */
  readonly oldUnicastChecksum: boolean;
  /** v2 over IPv4 only. A view into the message. */
  readonly authentication: V2Authentication | undefined;
  /** Octets of the message without a trailer. */
  readonly length: number;
  /** 28 octets of `auth_hmac` after the message. A view into it. */
  readonly trailer: Uint8Array | undefined;
}

export const addressLength = (family: Family): 4 | 16 => (family === "ipv4" ? 4 : 16);

export function addressList(addresses: readonly IpAddress[]): AddressList {
  return {
    addresses,
    octets: Uint8Array.from(addresses.flatMap((each) => [...addressBytes(each)])),
  };
}

/** Octets of a message without a trailer. Over IPv6, v2 has no authentication data (keepalived). */
export function messageLength(version: number, family: Family, count: number): number {
  const authentication = version === 2 && family === "ipv4" ? AUTHENTICATION_DATA_LENGTH : 0;
  return VRRP_HEADER_LENGTH + count * addressLength(family) + authentication;
}

/** The VRID of a message that may yet turn out to be bad; `undefined` where it is cut off. */
export const peekVrid = (message: Uint8Array): number | undefined => message[1];

/**
 * Encodes a message with the checksum zero. Breaking a range given in AdvertisementMessage is a broken
 * assertion, for the configuration was checked before.
 */
export function encodeMessage(message: AdvertisementMessage, family: Family): Uint8Array {
  const { version, vrid, priority, addresses, authentication } = message;
  assert(vrid >= 1 && vrid <= 255, "a VRID is 1–255");
  assert(priority >= 0 && priority <= 255, "a priority is 0–255");
  assert(addresses.length <= 255, "an advertisement has 255 addresses at most");
  const bytes = new Uint8Array(messageLength(version, family, addresses.length));
  bytes[0] = (version << 4) | ADVERTISEMENT_TYPE;
  bytes[1] = vrid;
  bytes[2] = priority;
  bytes[3] = addresses.length;
  if (version === 2) {
    const interval = message.maxAdvertiseInterval / 1_000_000;
    assert(Number.isInteger(interval) && interval >= 1 && interval <= 255, "v2 has 1–255 s");
    bytes[4] = authentication?.type ?? 0;
    bytes[5] = interval;
  } else {
    const interval = message.maxAdvertiseInterval / 10_000;
    assert(Number.isInteger(interval) && interval >= 1 && interval <= 4095, "v3 has 1–4095 cs");
    writeUint16(bytes, 4, interval);
  }
  let at = VRRP_HEADER_LENGTH;
  for (const address of addresses) {
    const octets = addressBytes(address);
    assert(octets.length === addressLength(family), "addresses have the family of the packet");
    bytes.set(octets, at);
    at += octets.length;
  }
  if (version === 2 && family === "ipv4" && authentication !== undefined) {
    bytes.set(authentication.data.subarray(0, AUTHENTICATION_DATA_LENGTH), at);
  }
  return bytes;
}

/** Encodes a message with its checksum, for one destination. Addresses are 4 or 16 octets. */
export function encodeAdvertisement(
  message: AdvertisementMessage,
  context: {
    readonly family: Family;
    readonly source: Uint8Array;
    readonly destination: Uint8Array;
    readonly checksum: ChecksumForm;
  },
): Uint8Array {
  const { family, source, destination, checksum } = context;
  const bytes = encodeMessage(message, family);
  const bare = family === "ipv4" && (message.version === 2 || checksum === "message");
  const cover = bare ? 0 : pseudoHeaderSum(source, destination, VRRP_PROTOCOL, bytes.length);
  writeUint16(bytes, CHECKSUM_AT, checksumOf(sumOf(bytes, cover)));
  return bytes;
}

/**
 * Decodes what follows the IP header (and the authentication header), in the order of the receive
 * ladder. RFC 9568 §7.1, RFC 3768 §7.1. Authentication is not looked at. Never throws.
 */
export function decodeAdvertisement(
  bytes: Uint8Array,
  context: MessageContext,
): Decoded<ReceivedMessage> {
  if (bytes.length < VRRP_HEADER_LENGTH) return drop("truncated");
  const version = acceptedVersion((bytes[0] ?? 0) >> 4, context);
  if (version === undefined) return drop("version");
  if (((bytes[0] ?? 0) & 0x0f) !== ADVERTISEMENT_TYPE) return drop("type");
  const count = bytes[3] ?? 0;
  const length = messageLength(version, context.family, count);
  const surplus = bytes.length - length;
  if (surplus !== 0 && surplus !== HMAC_TRAILER_LENGTH) return drop("length");
  const checksum = verifyChecksum(bytes, length, version, context);
  if (checksum === undefined) return drop("checksum");
  const interval = readInterval(bytes, version);
  const reason = refusal(bytes[1] ?? 0, count, interval, context);
  if (reason !== undefined) return drop(reason);
  return {
    ok: true,
    value: {
      version,
      vrid: bytes[1] ?? 0,
      priority: bytes[2] ?? 0,
      maxAdvertiseInterval: interval,
      addresses: readAddresses(bytes, count, context),
      ...checksum,
      authentication: readAuthentication(bytes, version, context.family, length),
      length,
      trailer: surplus === 0 ? undefined : bytes.subarray(length),
    },
  };
}

const drop = (reason: DropReason): { readonly ok: false; readonly reason: DropReason } => ({
  ok: false,
  reason,
});

function acceptedVersion(version: number, context: MessageContext): 2 | 3 | undefined {
  if (version !== 2 && version !== 3) return undefined;
  return version === (context.version ?? version) ? version : undefined;
}

/** What is wrong with the contents of an intact message. */
function refusal(
  vrid: number,
  count: number,
  interval: Micros,
  context: MessageContext,
): DropReason | undefined {
  if (vrid === 0 || vrid !== (context.vrid ?? vrid)) return "unknown-vrid";
  if (count === 0 && context.withoutAddresses !== true) return "no-addresses";
  return interval === 0 ? "interval-zero" : undefined;
}

type VerifiedChecksum = Pick<ReceivedMessage, "checksum" | "oldUnicastChecksum">;

/** The only form that there is fits, or the kernel said so. */
const PLAIN: VerifiedChecksum = { checksum: undefined, oldUnicastChecksum: false };
const MESSAGE_ONLY: VerifiedChecksum = { checksum: "message", oldUnicastChecksum: false };
const PSEUDO_HEADER: VerifiedChecksum = { checksum: "pseudo-header", oldUnicastChecksum: false };
const OLD_UNICAST: VerifiedChecksum = { checksum: "pseudo-header", oldUnicastChecksum: true };

/** Which form fits; `undefined`: none. */
function verifyChecksum(
  bytes: Uint8Array,
  length: number,
  version: 2 | 3,
  context: MessageContext,
): VerifiedChecksum | undefined {
  const { family, source, destination } = context;
  if (family === "ipv6") {
    // Over everything that follows the IP header. RFC 8200 §8.1.
    if (destination === undefined) return PLAIN;
    const cover = pseudoHeaderSum(source, destination, VRRP_PROTOCOL, bytes.length);
    return foldSum(sumOf(bytes, cover)) === INTACT ? PLAIN : undefined;
  }
  const sum = sumOf(bytes, 0, 0, length);
  const coversMessage = foldSum(sum) === INTACT;
  if (version === 2) return coversMessage ? PLAIN : undefined;
  if (coversMessage) return MESSAGE_ONLY;
  const coversToo = (to: Uint8Array): boolean =>
    foldSum(sum + pseudoHeaderSum(source, to, VRRP_PROTOCOL, length)) === INTACT;
  if (destination !== undefined && coversToo(destination)) return PSEUDO_HEADER;
  if (context.refuseOldUnicastChecksum === true) return undefined;
  return coversToo(VRRP_GROUP_IPV4) ? OLD_UNICAST : undefined;
}

const readInterval = (bytes: Uint8Array, version: 2 | 3): Micros =>
  version === 2 ? seconds(bytes[5] ?? 0) : centiseconds(readUint16(bytes, 4) & 0x0fff);

function readAddresses(
  bytes: Uint8Array,
  count: number,
  { family, known }: MessageContext,
): readonly IpAddress[] {
  const size = addressLength(family);
  const end = VRRP_HEADER_LENGTH + count * size;
  if (known !== undefined && equalOctets(bytes.subarray(VRRP_HEADER_LENGTH, end), known.octets)) {
    return known.addresses;
  }
  const addresses: IpAddress[] = [];
  for (let at = VRRP_HEADER_LENGTH; at < end; at += size) {
    addresses.push(addressFromBytes(bytes.subarray(at, at + size)));
  }
  return addresses;
}

function readAuthentication(
  bytes: Uint8Array,
  version: number,
  family: Family,
  length: number,
): V2Authentication | undefined {
  if (version !== 2 || family !== "ipv4") return undefined;
  return {
    type: bytes[4] ?? 0,
    data: bytes.subarray(length - AUTHENTICATION_DATA_LENGTH, length),
  };
}
