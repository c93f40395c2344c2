import type { IpAddress } from "../core/address.ts";
import { addressBytes, addressFromBytes } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import type { Decoded } from "../core/vrrp/drop-reason.ts";
import {
  ETHERNET_HEADER_LENGTH,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  writeEthernetHeader,
} from "./ethernet.ts";
import { readUint16, writeUint16 } from "./octets.ts";
import { BROADCAST_MAC, MAC_LENGTH } from "./virtual-mac.ts";

const ARP_LENGTH = 28;
const HARDWARE_ETHERNET = 1;
const IPV4_LENGTH = 4;
const OPERATIONS = { request: 1, reply: 2 } as const;

/** An ARP packet for IPv4 over Ethernet, with the frame's own addresses. RFC 826. */
export interface ArpFrame {
  readonly destinationMac: Uint8Array;
  readonly sourceMac: Uint8Array;
  readonly operation: "request" | "reply";
  readonly senderMac: Uint8Array;
  readonly sender: IpAddress;
  readonly targetMac: Uint8Array;
  readonly target: IpAddress;
}

/**
 * A complete broadcast frame that tells the segment where `address` is now. RFC 9568 §6.4.1: the
 * virtual router's MAC, sender and target equal. keepalived sends the request, with the target's
 * hardware address broadcast; the reply is what some equipment wants instead.
 */
export function gratuitousArp(
  address: IpAddress,
  mac: Uint8Array,
  operation: "request" | "reply" = "request",
): Uint8Array {
  return arpFrame({
    operation,
    senderMac: mac,
    sender: addressBytes(address),
    targetMac: operation === "request" ? BROADCAST_MAC : mac,
    target: addressBytes(address),
  });
}

/**
 * A complete broadcast frame that asks who has `target`. RFC 826. The sender 0.0.0.0 is that of a
 * host without an address there (RFC 5227 §2.1.1).
 */
export function arpRequest(target: IpAddress, sender: IpAddress, mac: Uint8Array): Uint8Array {
  return arpFrame({
    operation: "request",
    senderMac: mac,
    sender: addressBytes(sender),
    targetMac: new Uint8Array(MAC_LENGTH),
    target: addressBytes(target),
  });
}

interface ArpFields {
  readonly operation: "request" | "reply";
  readonly senderMac: Uint8Array;
  readonly sender: Uint8Array;
  readonly targetMac: Uint8Array;
  readonly target: Uint8Array;
}

function arpFrame({ operation, senderMac, sender, targetMac, target }: ArpFields): Uint8Array {
  assert(sender.length === IPV4_LENGTH && target.length === IPV4_LENGTH, "ARP is for IPv4");
  assert(senderMac.length === MAC_LENGTH, "a MAC has 6 octets");
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + ARP_LENGTH);
  writeEthernetHeader(frame, BROADCAST_MAC, senderMac, ETHERTYPE_ARP);
  const arp = frame.subarray(ETHERNET_HEADER_LENGTH);
  writeUint16(arp, 0, HARDWARE_ETHERNET);
  writeUint16(arp, 2, ETHERTYPE_IPV4);
  arp[4] = MAC_LENGTH;
  arp[5] = IPV4_LENGTH;
  writeUint16(arp, 6, OPERATIONS[operation]);
  arp.set(senderMac, 8);
  arp.set(sender, 14);
  arp.set(targetMac, 18);
  arp.set(target, 24);
  return frame;
}

/** Reads an Ethernet frame. Never throws. */
export function decodeArp(frame: Uint8Array): Decoded<ArpFrame, "truncated" | "not-arp"> {
  if (frame.length < ETHERNET_HEADER_LENGTH) return { ok: false, reason: "truncated" };
  if (readUint16(frame, 12) !== ETHERTYPE_ARP) return { ok: false, reason: "not-arp" };
  const arp = frame.subarray(ETHERNET_HEADER_LENGTH);
  if (arp.length < ARP_LENGTH) return { ok: false, reason: "truncated" };
  const overEthernet = readUint16(arp, 0) === HARDWARE_ETHERNET && arp[4] === MAC_LENGTH;
  const forIpv4 = readUint16(arp, 2) === ETHERTYPE_IPV4 && arp[5] === IPV4_LENGTH;
  const operation = readUint16(arp, 6);
  if (!(overEthernet && forIpv4) || (operation !== 1 && operation !== 2)) {
    return { ok: false, reason: "not-arp" };
  }
  return {
    ok: true,
    value: {
      destinationMac: frame.subarray(0, 6),
      sourceMac: frame.subarray(6, 12),
      operation: operation === OPERATIONS.request ? "request" : "reply",
      senderMac: arp.subarray(8, 14),
      sender: addressFromBytes(arp.subarray(14, 18)),
      targetMac: arp.subarray(18, 24),
      target: addressFromBytes(arp.subarray(24, 28)),
    },
  };
}
