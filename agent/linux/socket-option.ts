import { KernelError } from "../ports/error.ts";
import { int32, lastErrno, libc } from "./libc.ts";

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
/** Never blocks, and is not inherited by programs that this process starts. */
export const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
export const SOCK_CLOEXEC = 0o2000000;
export const IPPROTO_RAW = 255;
export const MSG_DONTWAIT = 0x40;
/** A broken connection is an errno then, not a signal that ends the process. */
export const MSG_NOSIGNAL = 0x4000;

/** A socket option by level and number, with the name that messages show. */
export interface SocketOption {
  readonly level: number;
  readonly number: number;
  readonly name: string;
}

const at = (level: number, number: number, name: string): SocketOption => ({ level, number, name });

const SOL_SOCKET = 1;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;

export const SO_REUSEADDR = at(SOL_SOCKET, 2, "SO_REUSEADDR");
export const SO_ERROR = at(SOL_SOCKET, 4, "SO_ERROR");
export const SO_RCVBUF = at(SOL_SOCKET, 8, "SO_RCVBUF");
export const SO_PRIORITY = at(SOL_SOCKET, 12, "SO_PRIORITY");
export const SO_LINGER = at(SOL_SOCKET, 13, "SO_LINGER");
export const SO_PEERCRED = at(SOL_SOCKET, 17, "SO_PEERCRED");
export const SO_BINDTODEVICE = at(SOL_SOCKET, 25, "SO_BINDTODEVICE");
export const SO_ATTACH_FILTER = at(SOL_SOCKET, 26, "SO_ATTACH_FILTER");
export const SO_SNDBUFFORCE = at(SOL_SOCKET, 32, "SO_SNDBUFFORCE");
export const SO_RCVBUFFORCE = at(SOL_SOCKET, 33, "SO_RCVBUFFORCE");
export const SO_MARK = at(SOL_SOCKET, 36, "SO_MARK");
export const SO_PROTOCOL = at(SOL_SOCKET, 38, "SO_PROTOCOL");
export const SO_MEMINFO = at(SOL_SOCKET, 55, "SO_MEMINFO");
export const SO_BINDTOIFINDEX = at(SOL_SOCKET, 62, "SO_BINDTOIFINDEX");

export const IP_RECVERR = at(IPPROTO_IP, 11, "IP_RECVERR");
export const IP_BIND_ADDRESS_NO_PORT = at(IPPROTO_IP, 24, "IP_BIND_ADDRESS_NO_PORT");
export const IP_MULTICAST_IF = at(IPPROTO_IP, 32, "IP_MULTICAST_IF");
export const IP_MULTICAST_LOOP = at(IPPROTO_IP, 34, "IP_MULTICAST_LOOP");
export const IP_ADD_MEMBERSHIP = at(IPPROTO_IP, 35, "IP_ADD_MEMBERSHIP");
export const IP_DROP_MEMBERSHIP = at(IPPROTO_IP, 36, "IP_DROP_MEMBERSHIP");
export const IP_MULTICAST_ALL = at(IPPROTO_IP, 49, "IP_MULTICAST_ALL");

export const IPV6_RECVERR = at(IPPROTO_IPV6, 25, "IPV6_RECVERR");
export const IPV6_MULTICAST_IF = at(IPPROTO_IPV6, 17, "IPV6_MULTICAST_IF");
export const IPV6_MULTICAST_LOOP = at(IPPROTO_IPV6, 19, "IPV6_MULTICAST_LOOP");
export const IPV6_ADD_MEMBERSHIP = at(IPPROTO_IPV6, 20, "IPV6_ADD_MEMBERSHIP");
export const IPV6_DROP_MEMBERSHIP = at(IPPROTO_IPV6, 21, "IPV6_DROP_MEMBERSHIP");
export const IPV6_MULTICAST_ALL = at(IPPROTO_IPV6, 29, "IPV6_MULTICAST_ALL");
export const IPV6_RECVPKTINFO = at(IPPROTO_IPV6, 49, "IPV6_RECVPKTINFO");
export const IPV6_RECVHOPLIMIT = at(IPPROTO_IPV6, 51, "IPV6_RECVHOPLIMIT");

/** Sets an option, an integer or as bytes. Answers the errno name when the kernel refuses. */
export function trySetOption(
  fd: number,
  option: SocketOption,
  value: number | Uint8Array,
): string | undefined {
  const bytes = typeof value === "number" ? int32(value) : value;
  const answer = libc().setsockopt(fd, option.level, option.number, bytes, bytes.length);
  return answer === 0 ? undefined : lastErrno();
}

/** Sets an option; throws a KernelError when the kernel refuses. */
export function setOption(fd: number, option: SocketOption, value: number | Uint8Array): void {
  const errno = trySetOption(fd, option, value);
  if (errno !== undefined) throw optionRefused(option, errno);
}

/** An integer option's value; `undefined` when the kernel does not have it. */
export function getOption(fd: number, option: SocketOption): number | undefined {
  const value = new Int32Array(1);
  const bytes = new Uint8Array(value.buffer);
  const answer = libc().getsockopt(fd, option.level, option.number, bytes, int32(4));
  return answer === 0 ? value[0] : undefined;
}

function optionRefused(option: SocketOption, errno: string): KernelError {
  const remedy =
    errno === "ENODEV" || errno === "EADDRNOTAVAIL"
      ? "check that the interface exists and has this address family enabled (sysctl net.ipv6.conf.*.disable_ipv6)"
      : errno === "ENOBUFS"
        ? "raise the limit of group memberships: sysctl -w net.ipv4.igmp_max_memberships=1024"
        : "run Holdfast as root, or give it CAP_NET_RAW and CAP_NET_ADMIN; Linux 5.0 or newer is needed";
  return new KernelError(
    "socket-option-refused",
    `the kernel refused ${option.name} (${errno})`,
    remedy,
  );
}
