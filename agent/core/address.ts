import { assert } from "./assert.ts";

/** An IP address in its one canonical text form (RFC 5952 for IPv6). Plain JSON. */
export type IpAddress = string & { readonly __brand: "ip-address" };

export type Family = "ipv4" | "ipv6";

/** An address with the length of its prefix, 0–32 or 0–128. */
export interface Prefix {
  readonly address: IpAddress;
  readonly length: number;
}

export const familyOf = (address: IpAddress): Family => (address.includes(":") ? "ipv6" : "ipv4");

/**
 * Reads an IPv4 or IPv6 address in any legal spelling; the answer is canonical. `undefined` for
 * everything else, also for a zone (`fe80::1%eth0`), a prefix length, and leading zeros in IPv4.
 */
export function parseAddress(text: string): IpAddress | undefined {
  // A legal IPv4 address has one spelling only; large configurations are full of them.
  if (IPV4.test(text)) return text as IpAddress;
  const bytes = parseBytes(text);
  return bytes === undefined ? undefined : addressFromBytes(bytes);
}

/** The address in network order: 4 bytes for IPv4, 16 for IPv6. */
export function addressBytes(address: IpAddress): Uint8Array {
  const bytes = parseBytes(address);
  assert(bytes !== undefined, "an IpAddress comes from parseAddress or addressFromBytes");
  return bytes;
}

/** The address in these 4 or 16 bytes, in network order. */
export function addressFromBytes(bytes: Uint8Array): IpAddress {
  assert(bytes.length === 4 || bytes.length === 16, "an address has 4 or 16 bytes");
  return (bytes.length === 4 ? bytes.join(".") : formatIpv6(bytes)) as IpAddress;
}

/**
 * Negative, zero or positive as `a` is lower than, equal to or higher than `b`, as unsigned numbers
 * in network order: the tie-break of RFC 9568 §6.4.3. IPv4 sorts before IPv6.
 */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  if (a === b) return 0;
  const left = addressBytes(a);
  const right = addressBytes(b);
  if (left.length !== right.length) return left.length - right.length;
  for (const [at, byte] of left.entries()) {
    const difference = byte - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** 169.254.0.0/16 or fe80::/10. */
export function isLinkLocal(address: IpAddress): boolean {
  const [first = 0, second = 0] = addressBytes(address);
  return familyOf(address) === "ipv4"
    ? first === 169 && second === 254
    : first === 0xfe && (second & 0xc0) === 0x80;
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(address: IpAddress): boolean {
  const [first = 0] = addressBytes(address);
  return familyOf(address) === "ipv4" ? (first & 0xf0) === 0xe0 : first === 0xff;
}

/** Never true across families. Bits of the prefix's address beyond its length play no part. */
export function inPrefix(address: IpAddress, prefix: Prefix): boolean {
  const bytes = addressBytes(address);
  const network = addressBytes(prefix.address);
  if (bytes.length !== network.length) return false;
  return bytes.every((byte, at) => {
    const bits = Math.max(0, Math.min(8, prefix.length - at * 8));
    const mask = (0xff00 >> bits) & 0xff;
    return (byte & mask) === ((network[at] ?? 0) & mask);
  });
}

function parseBytes(text: string): Uint8Array | undefined {
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  return bytes === undefined ? undefined : Uint8Array.from(bytes);
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;
const DECIMAL_OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const HEXADECIMAL_GROUP = /^[0-9a-f]{1,4}$/i;

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split(".", 5);
  if (parts.length !== 4 || !parts.every((part) => DECIMAL_OCTET.test(part))) return undefined;
  const octets = parts.map(Number);
  return octets.every((octet) => octet <= 255) ? octets : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  if (text.length > "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255".length) return undefined;
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [before = "", after] = halves;
  const head = parseGroups(before, after === undefined);
  if (head === undefined) return undefined;
  if (after === undefined) return head.length === 16 ? head : undefined;
  const tail = parseGroups(after, true);
  // "::" stands for at least one group of zeros.
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

/** The bytes of groups joined by single colons; the last may be an IPv4 address when allowed. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [at, group] of groups.entries()) {
    if (HEXADECIMAL_GROUP.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
      continue;
    }
    const embedded = mayEndInIpv4 && at === groups.length - 1 ? parseIpv4(group) : undefined;
    if (embedded === undefined) return undefined;
    bytes.push(...embedded);
  }
  return bytes.length > 16 ? undefined : bytes;
}

function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0),
  );
  // RFC 5952 §5: of the IPv4-in-IPv6 forms, only the mapped one is known by its bytes alone.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${bytes.slice(12).join(".")}`;
  }
  const { start, length } = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  // RFC 5952 §4.2.2: "::" must not shorten a single group.
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** The first of the longest runs of zero groups. RFC 5952 §4.2.3. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [at, group] of groups.entries()) {
    if (group !== 0) start = at + 1;
    else if (at + 1 - start > longest.length) longest = { start, length: at + 1 - start };
  }
  return longest;
}
