import type { IpAddress } from "../../agent/core/address.ts";
import { addressBytes, familyOf } from "../../agent/core/address.ts";
import { checksumOf, pseudoHeaderSum, sumOf } from "../../agent/wire/checksum.ts";
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  writeEthernetHeader,
} from "../../agent/wire/ethernet.ts";
import { encodeEchoRequest } from "../../agent/wire/icmp-echo.ts";
import { IPV4_HEADER_LENGTH, writeIpv4Header } from "../../agent/wire/ipv4.ts";
import { IPV6_HEADER_LENGTH, writeIpv6Header } from "../../agent/wire/ipv6.ts";
import type { Frame } from "./capture.ts";

const ICMP = 1;
const ICMPV6 = 58;

/** Between two machines of a segment. */
export interface Hop {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/**
 * A ping of `client` to an address as a director that routes directly sends it on: the client's packet as
 * it was, in a frame from the director to the real server.
 */
export function directedPing(
  { from, to }: Hop,
  client: IpAddress,
  target: IpAddress,
  identifier: number,
): Uint8Array {
  const family = familyOf(target);
  const message = encodeEchoRequest(family, {
    identifier,
    sequence: 1,
    payload: new Uint8Array(32),
  });
  const [source, destination] = [addressBytes(client), addressBytes(target)];
  const ipLength = family === "ipv4" ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const packet = new Uint8Array(ipLength + message.length);
  packet.set(message, ipLength);
  if (family === "ipv4") {
    writeIpv4Header(packet, { source, destination, protocol: ICMP, ttl: 63, identification: 1 });
  } else {
    writeIpv6Header(packet, { source, destination, nextHeader: ICMPV6, hopLimit: 63 });
    const sum = pseudoHeaderSum(source, destination, ICMPV6, message.length);
    new DataView(packet.buffer).setUint16(ipLength + 2, checksumOf(sumOf(message, sum)));
  }
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + packet.length);
  writeEthernetHeader(frame, to, from, family === "ipv4" ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
  frame.set(packet, ETHERNET_HEADER_LENGTH);
  return frame;
}

/** Identifiers of the pings that were answered, in a capture of answers only. */
export const answeredPings = (frames: readonly Frame[]): ReadonlySet<number> =>
  new Set(
    frames.map(({ bytes }) => {
      const isIpv6 = bytes[12] === 0x86;
      const at = ETHERNET_HEADER_LENGTH + (isIpv6 ? IPV6_HEADER_LENGTH : IPV4_HEADER_LENGTH) + 4;
      return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
    }),
  );
