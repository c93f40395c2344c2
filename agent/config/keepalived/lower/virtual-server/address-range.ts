import type { IpAddress } from "../../../../core/address.ts";
import {
  addressBytes,
  addressFromBytes,
  familyOf,
  parseAddress,
} from "../../../../core/address.ts";
import { familyBits, parseWhole } from "../literals.ts";

export type AddressRange =
  | { readonly ok: true; readonly addresses: readonly IpAddress[] }
  | { readonly ok: false; readonly reason: string; readonly hint: string };

const FORM = "write ADDRESS, ADDRESS-LAST or ADDRESS/LENGTH";

const refuse = (reason: string, hint = FORM): AddressRange => ({ ok: false, reason, hint });

/**
 * An address, `192.0.2.1-10`, `192.0.2.250-192.0.3.10` or `192.0.2.8/29`, or the like of IPv6, where
 * the short form ends in the last group in hexadecimal. Written out: not more than `room` of them.
 */
export function rangeOf(text: string, room: number): AddressRange {
  const [first = "", mark, last = ""] = split(text);
  const start = parseAddress(first);
  if (start === undefined) return refuse("this is no address");
  if (mark === undefined) {
    return room > 0 ? { ok: true, addresses: [start] } : tooMany();
  }
  const from = numberOf(start);
  const to = mark === "/" ? endOfPrefix(start, last) : endOfRange(start, last);
  if (to === undefined) return refuse("the end is no address of the range");
  if (mark === "/" && (from & bitsBehind(start, last)) !== 0n) {
    return refuse("bits behind the prefix are set", "write the first address of the prefix");
  }
  if (to < from) return refuse("the end is before the beginning");
  if (to - from >= BigInt(room)) return tooMany();
  const { length } = addressBytes(start);
  const addresses: IpAddress[] = [];
  for (let at = from; at <= to; at += 1n) addresses.push(addressFrom(at, length));
  return { ok: true, addresses };
}

const tooMany = () =>
  refuse("a group of more than 65,536 addresses", "mark the packets, and write fwmark NUMBER");

function split(text: string): readonly [string, ("-" | "/")?, string?] {
  const at = text.search(/[-/]/);
  if (at < 0) return [text];
  return [text.slice(0, at), text[at] === "-" ? "-" : "/", text.slice(at + 1)];
}

const numberOf = (address: IpAddress): bigint =>
  addressBytes(address).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);

function addressFrom(number: bigint, length: number): IpAddress {
  const bytes = new Uint8Array(length);
  let rest = number;
  for (let at = length - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return addressFromBytes(bytes);
}

/** The bits behind the prefix. */
function bitsBehind(start: IpAddress, length: string): bigint {
  const bits = familyBits(familyOf(start));
  return (1n << BigInt(bits - (parseWhole(length, 1, bits) ?? bits))) - 1n;
}

function endOfPrefix(start: IpAddress, length: string): bigint | undefined {
  if (parseWhole(length, 1, familyBits(familyOf(start))) === undefined) return undefined;
  return numberOf(start) | bitsBehind(start, length);
}

function endOfRange(start: IpAddress, last: string): bigint | undefined {
  const family = familyOf(start);
  const whole = parseAddress(last);
  if (whole !== undefined) return familyOf(whole) === family ? numberOf(whole) : undefined;
  if (family === "ipv4") {
    const octet = parseWhole(last, 0, 255);
    return octet === undefined
      ? undefined
      : numberOf(start) - (numberOf(start) & 0xffn) + BigInt(octet);
  }
  if (!/^[0-9a-f]{1,4}$/i.test(last)) return undefined;
  const group = BigInt(Number.parseInt(last, 16));
  return numberOf(start) - (numberOf(start) & 0xffffn) + group;
}
