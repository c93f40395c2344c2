import type { Family, IpAddress } from "../core/address.ts";
import { addressBytes, addressFromBytes, familyOf } from "../core/address.ts";
import type { Decoded, DropReason } from "../core/vrrp/drop-reason.ts";
import type { AuthenticationHeader } from "./ah.ts";
import { AH_LENGTH, AH_PROTOCOL, decodeAh, verifyAh } from "./ah.ts";
import type { HmacCredentials } from "./auth-hmac.ts";
import { verifyTrailer } from "./auth-hmac.ts";
import type { Credentials, SequenceState } from "./authentication.ts";
import { authenticationType } from "./authentication.ts";
import type { Hmac } from "./hmac.ts";
import type { Ipv4Packet } from "./ipv4.ts";
import { decodeIpv4 } from "./ipv4.ts";
import { equalInConstantTime } from "./octets.ts";
import type { AddressList, ReceivedMessage } from "./vrrp.ts";
import { decodeAdvertisement, peekVrid, VRRP_PROTOCOL } from "./vrrp.ts";

/** What a socket received. */
export interface IncomingPacket {
  readonly source: IpAddress;
  /** `undefined` where the kernel does not tell (IPv6); it verified the checksum then. */
  readonly destination: IpAddress | undefined;
  /** `undefined` where the kernel does not tell (IPv6). Not used for IPv4: the header has it. */
  readonly ttl: number | undefined;
  /** IPv4: the whole packet; IPv6: what follows the header. */
  readonly bytes: Uint8Array;
}

/** Which packets one virtual router accepts from this source. */
export interface Acceptance {
  readonly version: 2 | 3;
  /** 1–255. */
  readonly vrid: number;
  readonly unicast: boolean;
  /** TTL or hop limit, both included; `undefined`: not checked, as for unicast by default. */
  readonly ttl: TtlRange | undefined;
  readonly credentials: Credentials;
  /** The router has no address of its own: a count of zero is what its peers send too. */
  readonly withoutAddresses?: boolean | undefined;
  /** Its own addresses: where a packet has the same, its `addresses` are this very array. */
  readonly known?: AddressList | undefined;
  /** keepalived's `old_unicast_checksum never`. */
  readonly refuseOldUnicastChecksum?: boolean | undefined;
}

export interface TtlRange {
  readonly min: number;
  readonly max: number;
}

/** The packet crossed no router. RFC 9568 §7.1, RFC 5082. */
export const ON_LINK: TtlRange = { min: 255, max: 255 };

/** An advertisement that is well-formed, for this router, and authentic. */
export interface IncomingAdvertisement extends ReceivedMessage {
  readonly source: IpAddress;
  readonly destination: IpAddress | undefined;
  readonly ttl: number | undefined;
  /** The numbers to remember from now on. */
  readonly sequences: SequenceState;
  /** auth_hmac: our clock minus the sender's, in seconds. */
  readonly clockSkew: number | undefined;
}

/** The VRID of a received packet, so that its router can be found; `undefined` if there is none. */
export function peekPacketVrid(bytes: Uint8Array, family: Family): number | undefined {
  if (family === "ipv6") return peekVrid(bytes);
  const header = ((bytes[0] ?? 0) & 0x0f) * 4;
  return bytes[header + (bytes[9] === AH_PROTOCOL ? AH_LENGTH : 0) + 1];
}

/**
 * Takes a received packet through the receive ladder up to authentication. RFC 9568 §7.1. Without an
 * `acceptance` (no such VRID here) the answer is why it would have been dropped anyway, at last
 * `unknown-vrid`. `wallClock` is in milliseconds since 1970. Never throws.
 */
export function decodePacket(
  packet: IncomingPacket,
  acceptance: Acceptance | undefined,
  sequences: SequenceState,
  wallClock: number,
  hmac: Hmac,
): Decoded<IncomingAdvertisement> {
  const opened = open(packet, acceptance);
  if (!opened.ok) return opened;
  const { message, family, source, destination, ttl } = opened.value;
  const decoded = decodeAdvertisement(message, {
    family,
    source,
    destination,
    version: acceptance?.version,
    vrid: acceptance?.vrid ?? 0,
    withoutAddresses: acceptance?.withoutAddresses,
    known: acceptance?.known,
    refuseOldUnicastChecksum:
      acceptance?.unicast !== true || acceptance.refuseOldUnicastChecksum === true,
  });
  if (!decoded.ok) return decoded;
  if (acceptance === undefined) return drop("unknown-vrid");
  const proof = authenticate(packet, opened.value, decoded.value, acceptance, {
    sequences,
    wallClock,
    hmac,
  });
  if (!proof.ok) return proof;
  return {
    ok: true,
    value: {
      ...decoded.value,
      source: packet.source,
      destination:
        family === "ipv4" && destination !== undefined
          ? addressFromBytes(destination)
          : packet.destination,
      ttl,
      ...proof.value,
    },
  };
}

/** What an intact message says that came from this link, whoever sent it; `undefined`: there is none. */
export function claimIn(packet: IncomingPacket): ReceivedMessage | undefined {
  const opened = open(packet, undefined);
  if (!opened.ok) return undefined;
  const { message, family, source, destination } = opened.value;
  const context = { family, source, destination, withoutAddresses: true };
  const decoded = decodeAdvertisement(message, context);
  return decoded.ok ? decoded.value : undefined;
}

const NO_OCTETS = new Uint8Array(0);

interface Opened {
  readonly family: Family;
  readonly source: Uint8Array;
  readonly destination: Uint8Array | undefined;
  readonly ttl: number | undefined;
  readonly message: Uint8Array;
  readonly ipv4: Ipv4Packet | undefined;
  readonly ah: AuthenticationHeader | undefined;
}

interface Proof {
  readonly sequences: SequenceState;
  readonly clockSkew: number | undefined;
}

interface Means {
  readonly sequences: SequenceState;
  readonly wallClock: number;
  readonly hmac: Hmac;
}

const drop = (reason: DropReason): { readonly ok: false; readonly reason: DropReason } => ({
  ok: false,
  reason,
});

/** The IP header, the TTL and the authentication header. */
function open(packet: IncomingPacket, acceptance: Acceptance | undefined): Decoded<Opened> {
  if (familyOf(packet.source) === "ipv6") return openIpv6(packet, acceptance);
  const ip = decodeIpv4(packet.bytes);
  if (!ip.ok) return ip;
  const { source, destination, ttl, protocol, payload } = ip.value;
  const range = acceptance === undefined ? unknownRange(destination) : acceptance.ttl;
  if (!isWithin(ttl, range)) return drop("ttl");
  const opened = { family: "ipv4", source, destination, ttl, ipv4: ip.value } as const;
  if (protocol === VRRP_PROTOCOL) {
    return { ok: true, value: { ...opened, message: payload, ah: undefined } };
  }
  if (protocol !== AH_PROTOCOL) return drop("ip-header");
  const ah = decodeAh(payload);
  if (!ah.ok) return ah;
  return { ok: true, value: { ...opened, message: ah.value.message, ah: ah.value } };
}

function openIpv6(packet: IncomingPacket, acceptance: Acceptance | undefined): Decoded<Opened> {
  const { ttl, bytes } = packet;
  const destination =
    packet.destination === undefined ? undefined : addressBytes(packet.destination);
  const range = acceptance === undefined ? unknownRange(destination) : acceptance.ttl;
  if (ttl !== undefined && !isWithin(ttl, range)) return drop("ttl");
  // Parsed only for what counts it in: the checksum, unless the kernel verified it, and auth_hmac.
  const needed = destination !== undefined || acceptance?.credentials.kind === "hmac";
  const source = needed ? addressBytes(packet.source) : NO_OCTETS;
  return {
    ok: true,
    value: {
      family: "ipv6",
      source,
      destination,
      ttl,
      message: bytes,
      ipv4: undefined,
      ah: undefined,
    },
  };
}

const isWithin = (ttl: number, range: TtlRange | undefined): boolean =>
  range === undefined || (ttl >= range.min && ttl <= range.max);

/** What no router here is meant by was still wrong if it was multicast and came from afar. */
function unknownRange(destination: Uint8Array | undefined): TtlRange | undefined {
  if (destination === undefined) return undefined;
  const first = destination[0] ?? 0;
  const multicast = destination.length === 4 ? first >> 4 === 0xe : first === 0xff;
  return multicast ? ON_LINK : undefined;
}

/** RFC 3768 §7.1, RFC 2338 §5.3.6, draft-cassen-vrrp-auth-hmac. */
function authenticate(
  packet: IncomingPacket,
  opened: Opened,
  message: ReceivedMessage,
  acceptance: Acceptance,
  means: Means,
): Decoded<Proof> {
  const { credentials } = acceptance;
  const unchanged = {
    ok: true,
    value: { sequences: means.sequences, clockSkew: undefined },
  } as const;
  if (!isOfType(opened, message, credentials)) return drop("auth-type");
  switch (credentials.kind) {
    case "none":
      return unchanged;
    case "pass": {
      const data = message.authentication?.data;
      // Over IPv6, v2 carries no authentication data that could be compared.
      if (data === undefined || equalInConstantTime(data, credentials.key)) return unchanged;
      return drop("auth-data");
    }
    case "ah":
      return authenticateAh(opened, acceptance, credentials.key, means);
    case "hmac":
      if (message.trailer !== undefined) {
        return authenticateHmac(packet, opened, message, message.trailer, credentials, means);
      }
      return credentials.mode === "enforce" ? drop("auth-type") : unchanged;
  }
}

/** The packet carries the kind of proof that this router asks for, and no other. */
function isOfType(opened: Opened, message: ReceivedMessage, credentials: Credentials): boolean {
  if ((opened.ah !== undefined) !== (credentials.kind === "ah")) return false;
  if (message.trailer !== undefined && credentials.kind !== "hmac") return false;
  const { authentication } = message;
  return authentication === undefined || authentication.type === authenticationType(credentials);
}

function authenticateHmac(
  packet: IncomingPacket,
  opened: Opened,
  message: ReceivedMessage,
  trailer: Uint8Array,
  credentials: HmacCredentials,
  { sequences, wallClock, hmac }: Means,
): Decoded<Proof> {
  const signed = {
    family: opened.family,
    source: opened.source,
    message: opened.message.subarray(0, message.length),
  };
  const memory = { from: packet.source, heard: sequences.hmacHeard, wallClock };
  const verified = verifyTrailer(signed, trailer, credentials, memory, hmac);
  if (!verified.ok) return verified;
  const { heard, clockSkew } = verified.value;
  return { ok: true, value: { sequences: { ...sequences, hmacHeard: heard }, clockSkew } };
}

function authenticateAh(
  { ipv4, ah }: Opened,
  { unicast }: Acceptance,
  key: Uint8Array,
  { sequences, hmac }: Means,
): Decoded<Proof> {
  if (ipv4 === undefined || ah === undefined) return drop("auth-type");
  const verified = verifyAh(ipv4, ah, sequences.ah, key, unicast, hmac);
  if (!verified.ok) return verified;
  const next = { ...sequences, ah: verified.value };
  return { ok: true, value: { sequences: next, clockSkew: undefined } };
}
