import { libc } from "../../agent/linux/libc.ts";
import { unixSocketAddress } from "../../agent/linux/socket-address.ts";
import {
  AF_UNIX,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  SOCK_NONBLOCK_CLOEXEC,
} from "../../agent/linux/socket-option.ts";

/** Receives datagrams on a unix socket: the part of systemd, or of syslogd. */
export function receiveDatagrams(path: string): { next(): string | undefined; close(): void } {
  const fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, 0);
  const address = unixSocketAddress(path);
  if (libc().bind(fd, address, address.length) !== 0) throw new Error(`cannot bind ${path}`);
  return {
    next() {
      const bytes = Buffer.alloc(65_536);
      const length = libc().recv(fd, bytes, bytes.length, MSG_DONTWAIT);
      return length < 0 ? undefined : bytes.toString("utf8", 0, length);
    },
    close() {
      libc().close(fd);
    },
  };
}
