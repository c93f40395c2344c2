import { assert } from "../core/assert.ts";
import type { Decoded } from "../core/vrrp/drop-reason.ts";
import { checksumOf, sumOf } from "./checksum.ts";
import { readUint16, writeUint16 } from "./octets.ts";

export const IPV4_HEADER_LENGTH = 20;

/** Precedence "internetwork control": what keepalived and routers mark their adverts with. */
export const INTERNETWORK_CONTROL = 0xc0;

/** Ethernet pads a shorter packet up to this; a VLAN tag takes four octets of it. IEEE 802.3. */
const SHORTEST_ETHERNET_PAYLOAD = 46;

const FRAGMENT_OFFSET_OR_MORE = 0x3fff;

/** The fields of a header without options that are not constant. Addresses are 4 octets. */
export interface Ipv4Header {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  /** 1–255. */
  readonly ttl: number;
  /** 1–65535; with 0 the kernel would choose one. */
  readonly identification: number;
}

/** What a received packet's header says. Views into the packet, not copies. */
export interface Ipv4Packet {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  readonly ttl: number;
  /** The header with its options. */
  readonly header: Uint8Array;
  /** Up to the header's total length: Ethernet padding is cut off. */
  readonly payload: Uint8Array;
}

/** Writes a header for a socket with IP_HDRINCL to the first 20 octets of the complete packet. */
export function writeIpv4Header(packet: Uint8Array, header: Ipv4Header): void {
  assert(packet.length >= IPV4_HEADER_LENGTH, "an IPv4 packet has room for its header");
  packet[0] = 0x45;
  packet[1] = INTERNETWORK_CONTROL;
  writeUint16(packet, 2, packet.length);
  writeUint16(packet, 4, header.identification);
  writeUint16(packet, 6, 0);
  packet[8] = header.ttl;
  packet[9] = header.protocol;
  writeUint16(packet, 10, 0);
  packet.set(header.source, 12);
  packet.set(header.destination, 16);
  writeUint16(packet, 10, checksumOf(sumOf(packet, 0, 0, IPV4_HEADER_LENGTH)));
}

/**
 * Reads a packet as an IPv4 raw socket hands it over. Options are stepped over; the header checksum
 * is not looked at, as the kernel drops a packet in which it is wrong. `truncated`: shorter than its
 * header; `ip-header`: not IPv4, or a fragment; `length`: not as long as its header says.
 */
export function decodeIpv4(bytes: Uint8Array): Decoded<Ipv4Packet> {
  if (bytes.length < IPV4_HEADER_LENGTH) return { ok: false, reason: "truncated" };
  const first = bytes[0] ?? 0;
  const headerLength = (first & 0x0f) * 4;
  if (first >> 4 !== 4 || headerLength < IPV4_HEADER_LENGTH) {
    return { ok: false, reason: "ip-header" };
  }
  if ((readUint16(bytes, 6) & FRAGMENT_OFFSET_OR_MORE) !== 0) {
    return { ok: false, reason: "ip-header" };
  }
  const totalLength = readUint16(bytes, 2);
  if (headerLength > totalLength) return { ok: false, reason: "ip-header" };
  if (totalLength > bytes.length) return { ok: false, reason: "truncated" };
  if (totalLength < bytes.length && bytes.length > SHORTEST_ETHERNET_PAYLOAD) {
    return { ok: false, reason: "length" };
  }
  return {
    ok: true,
    value: {
      source: bytes.subarray(12, 16),
      destination: bytes.subarray(16, 20),
      protocol: bytes[9] ?? 0,
      ttl: bytes[8] ?? 0,
      header: bytes.subarray(0, headerLength),
      payload: bytes.subarray(headerLength, totalLength),
    },
  };
}
