import type { Family } from "../core/address.ts";
import { KernelError } from "../ports/error.ts";
import type { PingSource } from "../ports/probes.ts";
import { lastErrno, libc } from "./libc.ts";
import type { SocketOption } from "./socket-option.ts";
import {
  AF_INET,
  AF_INET6,
  SOCK_DGRAM,
  SOCK_NONBLOCK_CLOEXEC,
  SOCK_RAW,
  setOption,
} from "./socket-option.ts";
import { setSource } from "./socket-source.ts";

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_RAW = 255;
const ICMP_FILTER: SocketOption = { level: SOL_RAW, number: 1, name: "ICMP_FILTER" };
const ICMPV6_FILTER: SocketOption = { level: IPPROTO_ICMPV6, number: 1, name: "ICMPV6_FILTER" };

export interface PingSocket {
  readonly fd: number;
  /** What it receives begins with the IP header: raw sockets of IPv4. */
  readonly withHeader: boolean;
}

/**
 * Opens a socket for echo messages: an unprivileged one where net.ipv4.ping_group_range has this
 * group, else a raw one that lets echo replies through only. Throws a KernelError.
 */
export function openPingSocket(family: Family, source?: PingSource): PingSocket {
  const socket = openUnbound(family);
  const errno =
    source === undefined
      ? undefined
      : setSource(socket.fd, { ...source, sourcePort: undefined }, family);
  if (errno === undefined) return socket;
  libc().close(socket.fd);
  throw refused(family, errno);
}

function openUnbound(family: Family): PingSocket {
  const v4 = family === "ipv4";
  const domain = v4 ? AF_INET : AF_INET6;
  const protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  const datagram = libc().socket(domain, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, protocol);
  if (datagram >= 0) return { fd: datagram, withHeader: false };
  const raw = libc().socket(domain, SOCK_RAW | SOCK_NONBLOCK_CLOEXEC, protocol);
  if (raw < 0) throw refused(family, lastErrno());
  try {
    setOption(raw, v4 ? ICMP_FILTER : ICMPV6_FILTER, v4 ? onlyType(0, 4) : onlyType(129, 32));
  } catch (error) {
    libc().close(raw);
    throw error;
  }
  return { fd: raw, withHeader: v4 };
}

/** A set bit blocks its type. */
function onlyType(type: number, bytes: number): Uint8Array {
  const words = new Uint32Array(bytes / 4).fill(0xffff_ffff);
  words[type >> 5] = (words[type >> 5] ?? 0) & ~(1 << (type & 31));
  return new Uint8Array(words.buffer);
}

function refused(family: Family, errno: string): KernelError {
  return new KernelError(
    "ping-socket-refused",
    `no socket for echo requests over ${family} (${errno})`,
    errno === "ENODEV" || errno === "EADDRNOTAVAIL" || errno === "EINVAL"
      ? "check that the interface and the source address are on this host"
      : "give Holdfast CAP_NET_RAW, or its group ping sockets: sysctl -w net.ipv4.ping_group_range='0 2147483647'",
  );
}
