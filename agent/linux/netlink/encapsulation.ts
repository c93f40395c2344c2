import type { Encapsulation } from "../../config/config.ts";
import { addressBytes } from "../../core/address.ts";
import type { BodyWriter } from "../../wire/netlink/attribute.ts";
import {
  ILA_LOCATOR,
  LWTUNNEL,
  LWTUNNEL_IP,
  MPLS_IPTUNNEL,
  RTA,
} from "../../wire/netlink/rtnetlink.ts";

/** RTA_ENCAP_TYPE and RTA_ENCAP: what a route wraps its packets in. */
export function writeEncapsulation(writer: BodyWriter, encapsulation: Encapsulation): void {
  writer.attributeU16(RTA.encapType, LWTUNNEL[encapsulation.type]);
  writer.nested(RTA.encap, (inside) => {
    switch (encapsulation.type) {
      case "mpls":
        writeMpls(inside, encapsulation);
        break;
      case "ip":
      case "ip6":
        writeIp(inside, encapsulation);
        break;
      case "ila":
        inside.attributeBytes(ILA_LOCATOR, locatorBytes(encapsulation.locator ?? ""));
        break;
    }
  });
}

/** A label stack of RFC 3032 §2.1: 20 bits of label, 3 of class, the bottom bit, 8 of TTL. */
function writeMpls(inside: BodyWriter, { labels, ttl }: Encapsulation): void {
  const stack = new Uint8Array(labels.length * 4);
  const view = new DataView(stack.buffer);
  for (const [at, label] of labels.entries()) {
    const bottom = at === labels.length - 1 ? 0x100 : 0;
    view.setUint32(at * 4, label * 0x1000 + bottom);
  }
  inside.attributeBytes(MPLS_IPTUNNEL.destination, stack);
  if (ttl !== undefined) inside.attributeU8(MPLS_IPTUNNEL.ttl, ttl);
}

function writeIp(inside: BodyWriter, encapsulation: Encapsulation): void {
  const { id, source, destination, tos, ttl, flags } = encapsulation;
  if (id !== undefined) inside.attributeBytes(LWTUNNEL_IP.id, bigEndian(BigInt(id), 8));
  if (destination !== undefined) {
    inside.attributeBytes(LWTUNNEL_IP.destination, addressBytes(destination));
  }
  if (source !== undefined) inside.attributeBytes(LWTUNNEL_IP.source, addressBytes(source));
  if (ttl !== undefined) inside.attributeU8(LWTUNNEL_IP.ttl, ttl);
  if (tos !== undefined) inside.attributeU8(LWTUNNEL_IP.tos, tos);
  if (flags !== undefined) inside.attributeBytes(LWTUNNEL_IP.flags, bigEndian(BigInt(flags), 2));
}

/** Four groups of hexadecimal digits, joined by colons. */
function locatorBytes(locator: string): Uint8Array {
  const groups = locator.split(":").map((group) => BigInt(Number.parseInt(group, 16) || 0));
  return bigEndian(
    groups.reduce((value, group) => (value << 16n) | group, 0n),
    8,
  );
}

export function bigEndian(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) {
    bytes[at] = Number((value >> BigInt(8 * (length - 1 - at))) & 0xffn);
  }
  return bytes;
}
