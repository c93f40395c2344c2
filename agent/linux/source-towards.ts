import { networkInterfaces } from "node:os";
import type { IpAddress } from "../core/address.ts";
import { addressFromBytes, familyOf, inPrefix, parseAddress } from "../core/address.ts";
import { int32, lastErrno, libc } from "./libc.ts";
import { ipSocketAddress } from "./socket-address.ts";
import * as option from "./socket-option.ts";
import { setSource } from "./socket-source.ts";

/** Any will do: nothing is sent. */
const PORT = 9;

/** This host's address that the kernel would speak to another from, or the errno where there is no way. */
export function sourceTowards(
  to: IpAddress,
  over: string | undefined,
): { readonly address: IpAddress } | { readonly errno: string } {
  const family = familyOf(to);
  const domain = family === "ipv4" ? option.AF_INET : option.AF_INET6;
  const fd = libc().socket(domain, option.SOCK_DGRAM | option.SOCK_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) return { errno: lastErrno() };
  const bound = { sourceAddress: undefined, sourcePort: undefined, interface: over, fwmark: 0 };
  const place = ipSocketAddress(to, 0, PORT);
  let errno = setSource(fd, bound, family);
  if (errno === undefined && libc().connect(fd, place, place.length) < 0) errno = lastErrno();
  const name = new Uint8Array(place.length);
  if (errno === undefined && libc().getsockname(fd, name, int32(name.length)) < 0) {
    errno = lastErrno();
  }
  libc().close(fd);
  if (errno !== undefined) return { errno };
  return { address: addressFromBytes(family === "ipv4" ? name.slice(4, 8) : name.slice(8, 24)) };
}

/** An address of this host, but not that one, on a network that the other is on, too. */
export function neighbourOf(other: IpAddress, not: IpAddress): IpAddress | undefined {
  for (const { cidr } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
    const [text = "", length] = cidr?.split("/") ?? [];
    const address = parseAddress(text);
    if (address === undefined || address === not) continue;
    if (inPrefix(other, { address, length: Number(length) })) return address;
  }
  return undefined;
}
