import type { Family, IpAddress } from "../core/address.ts";
import { parseAddress } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import type { ProbeEndpoint } from "../ports/probe-sockets.ts";
import { int32, lastErrno, libc } from "./libc.ts";
import { ipSocketAddress } from "./socket-address.ts";
import * as option from "./socket-option.ts";

/** Where what is sent comes from. */
export type SocketSource = Omit<ProbeEndpoint, "address" | "port">;

/** l_onoff and l_linger: a close breaks the connection, and leaves its port free at once. */
const BREAK_AT_CLOSE = new Uint8Array(Int32Array.of(1, 0).buffer);

/** Gives a new socket its mark, interface, address and port. Answers the errno of a refusal. */
export function setSource(fd: number, source: SocketSource, family: Family): string | undefined {
  let errno: string | undefined;
  if (source.fwmark !== 0) errno = option.trySetOption(fd, option.SO_MARK, int32(source.fwmark));
  if (source.interface !== undefined) {
    const name = new TextEncoder().encode(source.interface);
    errno ??= option.trySetOption(fd, option.SO_BINDTODEVICE, name);
  }
  if (errno !== undefined) return errno;
  const { sourceAddress, sourcePort } = source;
  if (sourceAddress === undefined && sourcePort === undefined) return undefined;
  if (sourcePort === undefined) {
    // The port is chosen with the destination known: more than 28,000 at once are possible.
    option.trySetOption(fd, option.IP_BIND_ADDRESS_NO_PORT, 1);
  } else {
    errno = option.trySetOption(fd, option.SO_REUSEADDR, 1);
    errno ??= option.trySetOption(fd, option.SO_LINGER, BREAK_AT_CLOSE);
    if (errno !== undefined) return errno;
  }
  const place = ipSocketAddress(sourceAddress ?? anyAddress(family), 0, sourcePort);
  return libc().bind(fd, place, place.length) === 0 ? undefined : lastErrno();
}

function anyAddress(family: Family): IpAddress {
  const any = parseAddress(family === "ipv4" ? "0.0.0.0" : "::");
  assert(any !== undefined, "the address of all zeros is one");
  return any;
}
