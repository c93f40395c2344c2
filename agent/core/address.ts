/** An IP address in its one canonical text form (RFC 5952 for IPv6). Plain JSON. */
export type IpAddress = string & { readonly __brand: "ip-address" };

export type Family = "ipv4" | "ipv6";

/** An address with the length of its prefix, 0–32 or 0–128. */
export interface Prefix {
  readonly address: IpAddress;
  readonly length: number;
}

export const familyOf = (address: IpAddress): Family => (address.includes(":") ? "ipv6" : "ipv4");
