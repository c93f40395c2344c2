import type { IpAddress } from "../core/address.ts";
import { addressBytes, addressFromBytes } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import type { Decoded } from "../core/vrrp/drop-reason.ts";
import { checksumOf, foldSum, pseudoHeaderSum, sumOf } from "./checksum.ts";
import { ETHERNET_HEADER_LENGTH, ETHERTYPE_IPV6, writeEthernetHeader } from "./ethernet.ts";
import { decodeIpv6, IPV6_HEADER_LENGTH, writeIpv6Header } from "./ipv6.ts";
import { readUint16, writeUint16 } from "./octets.ts";
import { MAC_LENGTH } from "./virtual-mac.ts";

const ICMPV6 = 58;
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;
const SOURCE_LINK_LAYER_ADDRESS = 1;
const TARGET_LINK_LAYER_ADDRESS = 2;

/** Without the option, and with it. RFC 4861 §4.4. */
const FIXED_LENGTH = 24;
const MESSAGE_LENGTH = FIXED_LENGTH + 8;

/** Neighbour discovery counts only when it crossed no router. RFC 4861 §7.1.2. */
const HOP_LIMIT = 255;

/** ff02::1 and its Ethernet address. */
const ALL_NODES = Uint8Array.of(0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_MAC = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);

/** A neighbour advertisement with the addresses of its frame and packet. */
export interface NeighborAdvertisement {
  readonly destinationMac: Uint8Array;
  readonly sourceMac: Uint8Array;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly target: IpAddress;
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
  /** The target link-layer address; `undefined` without the option. */
  readonly targetMac: Uint8Array | undefined;
}

/**
 * A complete frame that tells all nodes where `address` is now: solicited off, override on. RFC 9568
 * §6.4.1 has `router` set; a host that keeps a service address and forwards nothing leaves it unset,
 * as otherwise others may take it for their default router.
 */
export function unsolicitedNeighborAdvertisement(
  address: IpAddress,
  mac: Uint8Array,
  router: boolean,
): Uint8Array {
  const target = addressBytes(address);
  assert(target.length === 16, "neighbour discovery is for IPv6");
  assert(mac.length === MAC_LENGTH, "a MAC has 6 octets");
  const body = neighborMessage(NEIGHBOR_ADVERTISEMENT, target, TARGET_LINK_LAYER_ADDRESS, mac);
  body[4] = OVERRIDE | (router ? ROUTER : 0);
  return neighborFrame({
    destinationMac: ALL_NODES_MAC,
    mac,
    source: target,
    destination: ALL_NODES,
    body,
  });
}

/**
 * A complete frame that asks the neighbour with `target` for its hardware address. RFC 4861 §7.2.2.
 * `source` is an address of this host on the segment, with the MAC to answer to.
 */
export function neighborSolicitation(
  target: IpAddress,
  source: IpAddress,
  mac: Uint8Array,
): Uint8Array {
  const octets = addressBytes(target);
  assert(octets.length === 16, "neighbour discovery is for IPv6");
  assert(mac.length === MAC_LENGTH, "a MAC has 6 octets");
  const { destination, destinationMac } = solicitedNode(octets);
  const body = neighborMessage(NEIGHBOR_SOLICITATION, octets, SOURCE_LINK_LAYER_ADDRESS, mac);
  return neighborFrame({ destinationMac, mac, source: addressBytes(source), destination, body });
}

/**
 * The same question without a source, which only a host that has `target` answers, to all nodes: it
 * must not say whom to answer to. RFC 4861 §4.3, RFC 4862 §5.4.2.
 */
export function addressProbe(target: IpAddress, mac: Uint8Array): Uint8Array {
  const octets = addressBytes(target);
  assert(octets.length === 16, "neighbour discovery is for IPv6");
  assert(mac.length === MAC_LENGTH, "a MAC has 6 octets");
  const { destination, destinationMac } = solicitedNode(octets);
  const body = new Uint8Array(FIXED_LENGTH);
  body[0] = NEIGHBOR_SOLICITATION;
  body.set(octets, 8);
  return neighborFrame({ destinationMac, mac, source: new Uint8Array(16), destination, body });
}

/** Solicited-node multicast (RFC 4291 §2.7.1), and its Ethernet address (RFC 2464 §7). */
function solicitedNode(target: Uint8Array) {
  const low = target.subarray(13);
  return {
    destination: Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...low),
    destinationMac: Uint8Array.of(0x33, 0x33, 0xff, ...low),
  };
}

/** Flags and checksum are zero. */
function neighborMessage(
  type: number,
  target: Uint8Array,
  option: number,
  mac: Uint8Array,
): Uint8Array {
  const message = new Uint8Array(MESSAGE_LENGTH);
  message[0] = type;
  message.set(target, 8);
  message[24] = option;
  message[25] = 1;
  message.set(mac, 26);
  return message;
}

interface NeighborFrame {
  readonly destinationMac: Uint8Array;
  readonly mac: Uint8Array;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly body: Uint8Array;
}

function neighborFrame(fields: NeighborFrame): Uint8Array {
  const { destinationMac, mac, source, destination, body } = fields;
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH + body.length);
  writeEthernetHeader(frame, destinationMac, mac, ETHERTYPE_IPV6);
  writeIpv6Header(frame.subarray(ETHERNET_HEADER_LENGTH), {
    source,
    destination,
    nextHeader: ICMPV6,
    hopLimit: HOP_LIMIT,
    trafficClass: 0,
  });
  const message = frame.subarray(ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH);
  message.set(body);
  const cover = pseudoHeaderSum(source, destination, ICMPV6, message.length);
  writeUint16(message, 2, checksumOf(sumOf(message, cover)));
  return frame;
}

type NeighborReason = "truncated" | "not-a-neighbor-advertisement" | "hop-limit" | "checksum";

/** Reads an Ethernet frame. RFC 4861 §7.1.2. Never throws. */
export function decodeNeighborAdvertisement(
  frame: Uint8Array,
): Decoded<NeighborAdvertisement, NeighborReason> {
  const foreign = { ok: false, reason: "not-a-neighbor-advertisement" } as const;
  if (frame.length < ETHERNET_HEADER_LENGTH) return { ok: false, reason: "truncated" };
  if (readUint16(frame, 12) !== ETHERTYPE_IPV6) return foreign;
  const ip = decodeIpv6(frame.subarray(ETHERNET_HEADER_LENGTH));
  if (!ip.ok) return { ok: false, reason: "truncated" };
  const { source, destination, payload, nextHeader, hopLimit } = ip.value;
  if (nextHeader !== ICMPV6 || payload[0] !== NEIGHBOR_ADVERTISEMENT) return foreign;
  if (hopLimit !== HOP_LIMIT) return { ok: false, reason: "hop-limit" };
  if (payload.length < FIXED_LENGTH) return { ok: false, reason: "truncated" };
  const cover = pseudoHeaderSum(source, destination, ICMPV6, payload.length);
  if (foldSum(sumOf(payload, cover)) !== 0xffff) return { ok: false, reason: "checksum" };
  const flags = payload[4] ?? 0;
  return {
    ok: true,
    value: {
      destinationMac: frame.subarray(0, 6),
      sourceMac: frame.subarray(6, 12),
      source: addressFromBytes(source),
      destination: addressFromBytes(destination),
      target: addressFromBytes(payload.subarray(8, 24)),
      router: (flags & ROUTER) !== 0,
      solicited: (flags & SOLICITED) !== 0,
      override: (flags & OVERRIDE) !== 0,
      targetMac: linkLayerOption(payload.subarray(FIXED_LENGTH)),
    },
  };
}

/** The first target link-layer address among the options; each counts its length in 8 octets. */
function linkLayerOption(options: Uint8Array): Uint8Array | undefined {
  for (let at = 0; at + 8 <= options.length; ) {
    const length = (options[at + 1] ?? 0) * 8;
    if (length === 0) return undefined;
    if (options[at] === TARGET_LINK_LAYER_ADDRESS) return options.subarray(at + 2, at + 8);
    at += length;
  }
  return undefined;
}
