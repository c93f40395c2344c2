import type { Family } from "../core/address.ts";
import { assert } from "../core/assert.ts";

export const MAC_LENGTH = 6;

export const BROADCAST_MAC: Uint8Array = new Uint8Array(MAC_LENGTH).fill(0xff);

/** 00:00:5e:00:01:VRID for IPv4, 00:00:5e:00:02:VRID for IPv6. RFC 9568 §7.3. */
export function virtualRouterMac(vrid: number, family: Family): Uint8Array {
  assert(vrid >= 1 && vrid <= 255, "a VRID is 1–255");
  return Uint8Array.of(0x00, 0x00, 0x5e, 0x00, family === "ipv4" ? 0x01 : 0x02, vrid);
}

/** Whose virtual router MAC this is; `undefined` for any other address. */
export function virtualRouterOf(
  mac: Uint8Array,
): { readonly vrid: number; readonly family: Family } | undefined {
  const [a, b, c, d, space, vrid] = mac;
  if (mac.length !== MAC_LENGTH || a !== 0 || b !== 0 || c !== 0x5e || d !== 0) return undefined;
  if (vrid === undefined || vrid === 0 || (space !== 1 && space !== 2)) return undefined;
  return { vrid, family: space === 1 ? "ipv4" : "ipv6" };
}

/** Reads six octets in hexadecimal, with colons or hyphens between; `undefined` for anything else. */
export function parseMac(text: string): Uint8Array | undefined {
  const octets = text.split(text.includes("-") ? "-" : ":", MAC_LENGTH + 1);
  if (octets.length !== MAC_LENGTH) return undefined;
  if (!octets.every((octet) => /^[0-9a-f]{1,2}$/i.test(octet))) return undefined;
  return Uint8Array.from(octets, (octet) => Number.parseInt(octet, 16));
}

/** Lower case, with colons, as the kernel's tools show it. */
export const formatMac = (mac: Uint8Array): string =>
  Array.from(mac, (octet) => octet.toString(16).padStart(2, "0")).join(":");
