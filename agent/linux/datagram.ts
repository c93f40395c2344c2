import { lastErrno, libc } from "./libc.ts";
import { unixSocketAddress } from "./socket-address.ts";
import { AF_UNIX, SOCK_DGRAM, SOCK_NONBLOCK_CLOEXEC } from "./socket-option.ts";

/**
 * Sends datagrams to a unix socket, which Node cannot; the receiver may come and go. `send` never
 * blocks and answers the errno name of a failure, for example ENOENT.
 */
export interface DatagramSender {
  send(text: string): string | undefined;
  close(): void;
}

/** `path` begins with "@" for the abstract name space. Nothing is opened before the first message. */
export function datagramSender(path: string): DatagramSender {
  const address = unixSocketAddress(path);
  let fd = -1;
  return {
    send(text) {
      if (fd < 0) fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, 0);
      if (fd < 0) return lastErrno();
      const bytes = new TextEncoder().encode(text);
      const sent = libc().sendto(fd, bytes, bytes.length, 0, address, address.length);
      return sent < 0 ? lastErrno() : undefined;
    },
    close() {
      if (fd >= 0) libc().close(fd);
      fd = -1;
    },
  };
}
