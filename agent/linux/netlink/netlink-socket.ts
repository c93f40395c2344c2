import { readdirSync, readFileSync, readlinkSync } from "node:fs";
// Its index loads the schemas of every netlink family too, which takes 70 ms of a start.
import { RawNetlinkSocket } from "netlink/dist/raw.js";
import { KernelError } from "../../ports/error.ts";
import { int32, libc } from "../libc.ts";
import type { SocketOption } from "../socket-option.ts";
import {
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  setOption,
  trySetOption,
} from "../socket-option.ts";

/** NETLINK_…. */
export const PROTOCOL = { route: 0, netfilter: 12, generic: 16 } as const;
export type NetlinkProtocol = keyof typeof PROTOCOL;

const netlinkOption = (number: number, name: string): SocketOption => ({
  level: 270,
  number,
  name,
});
const NO_ENOBUFS = netlinkOption(5, "NETLINK_NO_ENOBUFS");
const CAP_ACK = netlinkOption(10, "NETLINK_CAP_ACK");
const EXT_ACK = netlinkOption(11, "NETLINK_EXT_ACK");
const STRICT_CHECK = netlinkOption(12, "NETLINK_GET_STRICT_CHK");

/** What waits in a socket's receive queue, and how many messages never got into it. */
export interface Pressure {
  /** Bytes of kernel memory; 0: everything was read. */
  readonly queued: number;
  /** Messages lost since the socket was opened. */
  readonly dropped: number;
}

/** A netlink socket in the event loop, of the namespace that the main thread is in. */
export interface NetlinkSocket {
  readonly port: number;
  /** One datagram; the kernel works it off before this returns. `failed` hears the errno name. */
  send(bytes: Uint8Array, failed: (errno: string) => void): void;
  join(group: number): void;
  pressure(): Pressure;
  close(): void;
}

export interface ReceiveBufferSize {
  readonly bytes: number;
  /** Beyond the system's limit (SO_RCVBUFFORCE), where allowed. */
  readonly force: boolean;
}

/**
 * Main thread only: the addon aborts the process when a worker that loaded it exits. `received` gets
 * each datagram from the kernel in bytes of its own. What it throws is thrown again from the event
 * loop, as the addon itself swallows it. Throws a KernelError when the socket cannot be had.
 */
export function openNetlinkSocket(
  buffer: ReceiveBufferSize,
  received: (bytes: Uint8Array) => void,
  protocol: NetlinkProtocol = "route",
): NetlinkSocket {
  const socket = openRaw(protocol);
  const { port } = socket.address();
  const fd = descriptorOf(PROTOCOL[protocol], port);
  if (fd === undefined) {
    socket.close();
    throw new KernelError(
      "netlink-descriptor-missing",
      "the netlink socket is not to be found in /proc/self/fd",
      "mount /proc for Holdfast; it needs /proc/self/fd, /proc/net and /proc/sys",
    );
  }
  // The addon aborts the process on ENOBUFS. With this option an overrun only counts as drops.
  setOption(fd, NO_ENOBUFS, 1);
  // Kernels before 4.20 lack some of these; replies are then longer or dumps unfiltered.
  for (const option of [CAP_ACK, EXT_ACK, STRICT_CHECK]) trySetOption(fd, option, 1);
  if (!buffer.force || trySetOption(fd, SO_RCVBUFFORCE, buffer.bytes) !== undefined) {
    trySetOption(fd, SO_RCVBUF, buffer.bytes);
  }
  let open = true;
  socket.on("message", (bytes, { port: sender }) => {
    if (!open || sender !== 0) return;
    try {
      // A plain view: Buffer's slice() does not copy, which is a trap further in.
      received(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    } catch (error) {
      throwLater(error);
    }
  });
  socket.on("error", throwLater);
  return {
    port,
    send(bytes, failed) {
      socket.send(bytes, {}, (error) => {
        if (error !== undefined) failed(error.code);
      });
    },
    join: (group) => socket.addMembership(group),
    pressure: () => pressureOf(fd),
    close() {
      open = false;
      // Not from inside one of the addon's own callbacks.
      setImmediate(() => socket.close());
    },
  };
}

/** Outside every caller's try, so that it ends the process as any other uncaught error does. */
export function throwLater(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

function openRaw(protocol: NetlinkProtocol): RawNetlinkSocket {
  try {
    return new RawNetlinkSocket(PROTOCOL[protocol]);
  } catch (error) {
    throw new KernelError(
      "netlink-refused",
      `cannot open a netlink socket: ${error instanceof Error ? error.message : String(error)}`,
      "allow AF_NETLINK (RestrictAddressFamilies= of the systemd unit, or the container's seccomp profile)",
    );
  }
}

/** The addon hides its descriptor: the port leads to the inode, and that to the descriptor. */
function descriptorOf(protocol: number, port: number): number | undefined {
  const row = readFileSync("/proc/thread-self/net/netlink", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[1] === String(protocol) && fields[2] === String(port));
  const inode = row?.at(-1);
  const name = readdirSync("/proc/self/fd").find(
    (candidate) => linkOf(`/proc/self/fd/${candidate}`) === `socket:[${inode}]`,
  );
  return name === undefined ? undefined : Number(name);
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // The descriptor that listed the folder is closed by now.
    return undefined;
  }
}

/** SO_MEMINFO: nine 32-bit counters, of which the first is memory in the queue and the last drops. */
function pressureOf(fd: number): Pressure {
  const counters = new Uint32Array(9);
  const bytes = new Uint8Array(counters.buffer);
  libc().getsockopt(fd, SO_MEMINFO.level, SO_MEMINFO.number, bytes, int32(bytes.length));
  return { queued: counters[0] ?? 0, dropped: counters[8] ?? 0 };
}
