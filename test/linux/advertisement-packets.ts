import type { IpAddress } from "../../agent/core/address.ts";
import { addressBytes, parseAddress } from "../../agent/core/address.ts";
import type { EndpointSpec } from "../../agent/ports/advertisement-sockets.ts";
import { writeEthernetHeader } from "../../agent/wire/ethernet.ts";
import { writeIpv4Header } from "../../agent/wire/ipv4.ts";
import { writeIpv6Header } from "../../agent/wire/ipv6.ts";

export function ip(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new TypeError(`${text} is no address`);
  return address;
}

export const GROUP = { ipv4: ip("224.0.0.18"), ipv6: ip("ff02::12") } as const;

/** A multicast endpoint on an interface. */
export const multicast = (family: "ipv4" | "ipv6", interfaceIndex: number): EndpointSpec => ({
  family,
  protocol: 112,
  interfaceIndex,
  group: GROUP[family],
  ttl: 255,
});

/** A unicast endpoint on any interface. */
export const unicast = (family: "ipv4" | "ipv6"): EndpointSpec => ({
  family,
  protocol: 112,
  interfaceIndex: undefined,
  group: undefined,
  ttl: 255,
});

export interface PacketOptions {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly vrid?: number;
  readonly ttl?: number;
  /** IP protocol; 51 puts an authentication header in front. */
  readonly protocol?: number;
  /** Octets behind the two that matter here. */
  readonly tail?: number;
}

/** An IP packet whose payload only looks like an advertisement: version and type, VRID, zeros. */
export function packet(options: PacketOptions): Uint8Array {
  const { vrid = 10, ttl = 255, protocol = 112, tail = 6 } = options;
  const message = Uint8Array.of(0x31, vrid, ...new Array<number>(tail).fill(0));
  // RFC 4302 §2: next header, length in words less two.
  const authentication = protocol === 51 ? [112, 4, ...new Array<number>(22).fill(0)] : [];
  const payload = Uint8Array.of(...authentication, ...message);
  const source = addressBytes(options.source);
  const destination = addressBytes(options.destination);
  const header = source.length === 4 ? 20 : 40;
  const bytes = new Uint8Array(header + payload.length);
  bytes.set(payload, header);
  if (source.length === 4) {
    writeIpv4Header(bytes, { source, destination, protocol, ttl, identification: 1 });
  } else {
    writeIpv6Header(bytes, { source, destination, nextHeader: protocol, hopLimit: ttl });
  }
  return bytes;
}

/** The packet in a frame to the group's MAC address. */
export function frame(source: Uint8Array, ipPacket: Uint8Array): Uint8Array {
  const v4 = (ipPacket[0] ?? 0) >> 4 === 4;
  const bytes = new Uint8Array(14 + ipPacket.length);
  const group = v4 ? [1, 0, 0x5e, 0, 0, 0x12] : [0x33, 0x33, 0, 0, 0, 0x12];
  writeEthernetHeader(bytes, Uint8Array.from(group), source, v4 ? 0x0800 : 0x86dd);
  bytes.set(ipPacket, 14);
  return bytes;
}
