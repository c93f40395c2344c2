import type { IpAddress, Prefix } from "../../agent/core/address.ts";
import { addressBytes, familyOf, inPrefix, parseAddress } from "../../agent/core/address.ts";

/** A host as a call names it: a literal address, or a name that is resolved when it is needed. */
export type Host =
  | { readonly kind: "address"; readonly address: IpAddress }
  | { readonly kind: "name"; readonly name: string };

/** Which hosts are meant. A name never fits an address, whatever it resolves to, nor the reverse. */
export type HostPattern =
  | { readonly kind: "any" }
  | { readonly kind: "prefix"; readonly prefix: Prefix }
  | { readonly kind: "name"; readonly name: string }
  /** Every name below: `*.example.org` has the suffix `.example.org`. */
  | { readonly kind: "below"; readonly suffix: string };

/**
 * Reads a host: an address in any legal spelling, without brackets, or a name. `undefined` for all
 * else, also for what resolvers take for an address (`127.1`, `0x7f000001`), and for zones.
 */
export function parseHost(text: string): Host | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return { kind: "address", address: unmapped(address) };
  const name = parseName(text);
  return name === undefined ? undefined : { kind: "name", name };
}

/** A host name in lower case, without the final dot. */
export function parseName(text: string): string | undefined {
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  if (name.length > 253) return undefined;
  const labels = name.split(".");
  if (!labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) {
    return undefined;
  }
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "") ? undefined : name;
}

/** Reads `*`, `*.example.org`, a name, an address or a CIDR; addresses without brackets. */
export function parseHostPattern(text: string): HostPattern | undefined {
  if (text === "*") return { kind: "any" };
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return { kind: "prefix", prefix };
  const name = parseName(text.startsWith("*.") ? text.slice(2) : text);
  if (name === undefined) return undefined;
  return text.startsWith("*.") ? { kind: "below", suffix: `.${name}` } : { kind: "name", name };
}

export function hostMatches(pattern: HostPattern, host: Host): boolean {
  switch (pattern.kind) {
    case "any":
      return true;
    case "prefix":
      return host.kind === "address" && inPrefix(host.address, pattern.prefix);
    case "name":
      return host.kind === "name" && host.name === pattern.name;
    case "below":
      return host.kind === "name" && host.name.endsWith(pattern.suffix);
  }
}

/** Whatever `narrow` matches, `wide` matches as well. */
export function hostCovers(wide: HostPattern, narrow: HostPattern): boolean {
  if (wide.kind === "any") return true;
  switch (narrow.kind) {
    case "any":
      return false;
    case "prefix":
      return (
        wide.kind === "prefix" &&
        wide.prefix.length <= narrow.prefix.length &&
        inPrefix(narrow.prefix.address, wide.prefix)
      );
    case "name":
      return hostMatches(wide, narrow);
    case "below":
      return wide.kind === "below" && narrow.suffix.endsWith(wide.suffix);
  }
}

/** An address is a prefix of its full length. */
function parsePrefix(text: string): Prefix | undefined {
  const [before = "", length, ...more] = text.split("/");
  const parsed = parseAddress(before);
  if (parsed === undefined || more.length > 0) return undefined;
  const address = unmapped(parsed);
  const full = familyOf(address) === "ipv4" ? 32 : 128;
  if (length === undefined) return { address, length: full };
  // ::ffff:0:0/96 and its like: ask for the IPv4 prefix itself.
  if (address !== parsed || !/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  return Number(length) > full ? undefined : { address, length: Number(length) };
}

/** The kernel connects ::ffff:192.0.2.1 to 192.0.2.1: so it is matched. */
function unmapped(address: IpAddress): IpAddress {
  if (!address.startsWith("::ffff:")) return address;
  const inner = parseAddress(address.slice("::ffff:".length));
  return inner !== undefined && addressBytes(inner).length === 4 ? inner : address;
}
