import type { FrameSender } from "../ports/advertisement-sockets.ts";
import { KernelError } from "../ports/error.ts";
import { lastErrno, libc } from "./libc.ts";
import { AF_PACKET, SOCK_NONBLOCK_CLOEXEC, SOCK_RAW } from "./socket-option.ts";

/** Opens one packet socket for all interfaces. Throws a KernelError when it cannot be had. */
export function openFrameSender(): FrameSender {
  // Protocol 0: the socket receives nothing.
  const fd = libc().socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) {
    throw new KernelError(
      "packet-socket-refused",
      `no packet socket for ARP and neighbour announcements (${lastErrno()})`,
      "run Holdfast as root, or give it CAP_NET_RAW (AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN in the unit)",
    );
  }
  // struct sockaddr_ll; only family, EtherType and index matter, as the frame has its own header.
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  let closed = false;
  return {
    send(interfaceIndex, frame) {
      if (closed) return "EBADF";
      address.set(frame.subarray(12, 14), 2);
      view.setInt32(4, interfaceIndex, true);
      const sent = libc().sendto(fd, frame, frame.length, 0, address, address.length);
      return sent < 0 ? lastErrno() : undefined;
    },
    close() {
      if (!closed) libc().close(fd);
      closed = true;
    },
  };
}
