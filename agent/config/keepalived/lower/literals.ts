import type { Family, Prefix } from "../../../core/address.ts";
import { familyOf, parseAddress } from "../../../core/address.ts";
import type { Micros } from "../../../core/time.ts";
import { seconds } from "../../../core/time.ts";

const DECIMAL = /^[0-9]+$/;
const SIGNED = /^[-+]?[0-9]+$/;
const FRACTION = /^[0-9]*\.?[0-9]+$|^[0-9]+\.$/;
const ANY_BASE = /^(?:0x[0-9a-f]+|[0-9]+)$/i;

/** Longest interface name that Linux knows, in bytes: IFNAMSIZ − 1. */
export const LONGEST_INTERFACE_NAME = 15;

/** A whole number in decimal and in range. */
export function parseWhole(text: string, low: number, high: number): number | undefined {
  if (!(low < 0 ? SIGNED : DECIMAL).test(text)) return undefined;
  const value = Number(text);
  return value >= low && value <= high ? value : undefined;
}

/** A whole number as strtoul reads it in base 0: hexadecimal, octal or decimal. */
export function parseAnyBase(text: string, high: number): number | undefined {
  if (!ANY_BASE.test(text)) return undefined;
  const octal = text.length > 1 && text.startsWith("0") && !/^0x/i.test(text);
  if (octal && /[89]/.test(text)) return undefined;
  const value = octal ? Number.parseInt(text, 8) : Number(text);
  return value <= high ? value : undefined;
}

/** Seconds with a fraction, as microseconds. */
export function parseSeconds(text: string): Micros | undefined {
  return FRACTION.test(text) ? seconds(Number(text)) : undefined;
}

export const familyBits = (family: Family): number => (family === "ipv4" ? 32 : 128);

/** `address` or `address/length`; without a length the whole address. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = familyBits(familyOf(address));
  const length = slash < 0 ? bits : parseWhole(text.slice(slash + 1), 0, bits);
  return length === undefined ? undefined : { address, length };
}

export function isInterfaceName(text: string): boolean {
  return (
    text.length > 0 &&
    text.length <= LONGEST_INTERFACE_NAME &&
    text !== "." &&
    text !== ".." &&
    !text.includes("/")
  );
}
