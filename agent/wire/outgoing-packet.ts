import type { Family, IpAddress } from "../core/address.ts";
import { addressBytes } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import type { Micros } from "../core/time.ts";
import { AH_LENGTH, AH_PROTOCOL, LAST_AH_SEQUENCE, sealAh } from "./ah.ts";
import { nextHmacSequence, signedTrailer } from "./auth-hmac.ts";
import type { Credentials, SequenceState } from "./authentication.ts";
import { authenticationType } from "./authentication.ts";
import { checksumOf, pseudoHeaderSum, sumOf } from "./checksum.ts";
import type { Hmac } from "./hmac.ts";
import { IPV4_HEADER_LENGTH, writeIpv4Header } from "./ipv4.ts";
import { IPV6_HEADER_LENGTH, writeIpv6Header } from "./ipv6.ts";
import { writeUint16 } from "./octets.ts";
import type { ChecksumForm } from "./vrrp.ts";
import {
  CHECKSUM_AT,
  encodeMessage,
  HMAC_TRAILER_LENGTH,
  VRRP_GROUP_IPV4,
  VRRP_PROTOCOL,
} from "./vrrp.ts";

/** What all packets of a virtual router to one destination have in common. */
export interface PacketSettings {
  readonly family: Family;
  readonly version: 2 | 3;
  /** 1–255. */
  readonly vrid: number;
  /** v2: whole seconds, 1–255; v3: whole centiseconds, 1–4095. */
  readonly maxAdvertiseInterval: Micros;
  /** What is advertised, in this order; 255 at most. */
  readonly addresses: readonly IpAddress[];
  readonly source: IpAddress;
  /** The multicast group, or one unicast peer. */
  readonly destination: IpAddress;
  readonly unicast: boolean;
  /** TTL or hop limit, 1–255. RFC 9568 §5.1.1.3 and §5.1.2.3: 255. */
  readonly ttl: number;
  /**
   * What a v3 checksum over IPv4 covers. `old-unicast`: a pseudo-header with 224.0.0.18 whatever the
   * destination, as keepalived before 1.3.7 has it.
   */
  readonly checksum: ChecksumForm | "old-unicast";
  readonly credentials: Credentials;
}

/** The packet as far as it does not change from one advertisement to the next. */
export interface PacketTemplate {
  readonly settings: PacketSettings;
  /** Complete but for priority, checksums, identification and authentication. */
  readonly bytes: Uint8Array;
  readonly source: Uint8Array;
  readonly messageAt: number;
  /** Where the message ends and the trailer of `auth_hmac`, if any, begins. */
  readonly messageEnd: number;
  /** Sum of what the VRRP checksum covers, as far as it is in `bytes`. */
  readonly sum: number;
}

export interface OutgoingPacket {
  /** A complete IP packet, header included. Its own buffer. */
  readonly packet: Uint8Array;
  readonly sequences: SequenceState;
}

/** Prepares the packets of one virtual router to one destination. Settings were checked before. */
export function packetTemplate(settings: PacketSettings): PacketTemplate {
  const { family, credentials, version } = settings;
  assert(settings.ttl >= 1 && settings.ttl <= 255, "a TTL is 1–255");
  assert(credentials.kind !== "ah" || (family === "ipv4" && version === 2), "AH is for v2 on IPv4");
  assert(credentials.kind !== "pass" || version === 2, "PASS is for v2");
  const source = addressBytes(settings.source);
  const destination = addressBytes(settings.destination);
  const message = encodeMessage(
    {
      ...settings,
      priority: 0,
      authentication: {
        type: authenticationType(credentials),
        data: credentials.kind === "pass" ? credentials.key : new Uint8Array(0),
      },
    },
    family,
  );
  const headerLength = family === "ipv4" ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const messageAt = headerLength + (credentials.kind === "ah" ? AH_LENGTH : 0);
  const messageEnd = messageAt + message.length;
  const bytes = new Uint8Array(messageEnd + (isSigned(credentials) ? HMAC_TRAILER_LENGTH : 0));
  bytes.set(message, messageAt);
  if (family === "ipv6") {
    const hopLimit = settings.ttl;
    writeIpv6Header(bytes, { source, destination, nextHeader: VRRP_PROTOCOL, hopLimit });
  } else {
    const protocol = credentials.kind === "ah" ? AH_PROTOCOL : VRRP_PROTOCOL;
    writeIpv4Header(bytes, { source, destination, protocol, ttl: settings.ttl, identification: 0 });
  }
  const covered = family === "ipv6" ? bytes.length - messageAt : message.length;
  const sum = sumOf(message) + coverSum(settings, source, destination, covered);
  return { settings, bytes, source, messageAt, messageEnd, sum };
}

/**
 * The next packet, ready for a socket that takes IP headers. `priority` is 0–255; `wallClock` is in
 * milliseconds since 1970 and matters to `auth_hmac` only.
 */
export function encodePacket(
  template: PacketTemplate,
  priority: number,
  sequences: SequenceState,
  wallClock: number,
  hmac: Hmac,
): OutgoingPacket {
  assert(priority >= 0 && priority <= 255, "a priority is 0–255");
  const { settings, messageAt, messageEnd } = template;
  const { credentials } = settings;
  const packet = template.bytes.slice();
  packet[messageAt + 2] = priority;
  let sum = template.sum + priority * 0x100;
  let next = sequences;
  if (credentials.kind === "hmac" && isSigned(credentials)) {
    const hmacSent = nextHmacSequence(sequences.hmacSent, wallClock, credentials);
    const signed = {
      family: settings.family,
      source: template.source,
      message: packet.subarray(messageAt, messageEnd),
    };
    const trailer = signedTrailer(signed, hmacSent, credentials, hmac);
    packet.set(trailer, messageEnd);
    if (settings.family === "ipv6") sum += sumOf(trailer);
    next = { ...next, hmacSent };
  }
  writeUint16(packet, messageAt + CHECKSUM_AT, checksumOf(sum));
  if (settings.family === "ipv4") {
    // The kernel replaces an identification of zero, which an authentication header covers.
    next = { ...next, identification: (next.identification % 0xffff) + 1 };
    writeUint16(packet, 4, next.identification);
    writeUint16(packet, 10, 0);
    writeUint16(packet, 10, checksumOf(sumOf(packet, 0, 0, IPV4_HEADER_LENGTH)));
  }
  if (credentials.kind === "ah") {
    next = { ...next, ah: Math.min(next.ah + 1, LAST_AH_SEQUENCE) };
    sealAh(packet, IPV4_HEADER_LENGTH, next.ah, credentials.key, settings.unicast, hmac);
  }
  return { packet, sequences: next };
}

const isSigned = (credentials: Credentials): boolean =>
  credentials.kind === "hmac" && credentials.mode !== "receive-only";

/** Sum of the pseudo-header, where there is one. */
function coverSum(
  settings: PacketSettings,
  source: Uint8Array,
  destination: Uint8Array,
  length: number,
): number {
  const { family, version, checksum } = settings;
  if (family === "ipv4" && (version === 2 || checksum === "message")) return 0;
  const to = family === "ipv4" && checksum === "old-unicast" ? VRRP_GROUP_IPV4 : destination;
  return pseudoHeaderSum(source, to, VRRP_PROTOCOL, length);
}
