import { assert } from "../core/assert.ts";
import type { Decoded } from "../core/vrrp/drop-reason.ts";
import { INTERNETWORK_CONTROL } from "./ipv4.ts";
import { readUint16, writeUint16 } from "./octets.ts";

export const IPV6_HEADER_LENGTH = 40;

/** Addresses are 16 octets. */
export interface Ipv6Header {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly nextHeader: number;
  /** 1–255. */
  readonly hopLimit: number;
  /** `undefined`: internetwork control. */
  readonly trafficClass?: number | undefined;
}

export interface Ipv6Packet extends Ipv6Header {
  /** A view into the packet, up to the header's payload length. */
  readonly payload: Uint8Array;
}

/** Writes a header for a socket with IPV6_HDRINCL to the first 40 octets of the complete packet. */
export function writeIpv6Header(packet: Uint8Array, header: Ipv6Header): void {
  assert(packet.length >= IPV6_HEADER_LENGTH, "an IPv6 packet has room for its header");
  const trafficClass = header.trafficClass ?? INTERNETWORK_CONTROL;
  packet[0] = 0x60 | (trafficClass >> 4);
  packet[1] = (trafficClass << 4) & 0xff;
  writeUint16(packet, 2, 0);
  writeUint16(packet, 4, packet.length - IPV6_HEADER_LENGTH);
  packet[6] = header.nextHeader;
  packet[7] = header.hopLimit;
  packet.set(header.source, 8);
  packet.set(header.destination, 24);
}

/** Reads a complete IPv6 packet, as it is in a frame. Extension headers are not stepped over. */
export function decodeIpv6(bytes: Uint8Array): Decoded<Ipv6Packet> {
  if (bytes.length < IPV6_HEADER_LENGTH) return { ok: false, reason: "truncated" };
  if ((bytes[0] ?? 0) >> 4 !== 6) return { ok: false, reason: "ip-header" };
  const end = IPV6_HEADER_LENGTH + readUint16(bytes, 4);
  if (end > bytes.length) return { ok: false, reason: "truncated" };
  return {
    ok: true,
    value: {
      source: bytes.subarray(8, 24),
      destination: bytes.subarray(24, 40),
      nextHeader: bytes[6] ?? 0,
      hopLimit: bytes[7] ?? 0,
      trafficClass: (readUint16(bytes, 0) >> 4) & 0xff,
      payload: bytes.subarray(IPV6_HEADER_LENGTH, end),
    },
  };
}
