import { readdirSync, readlinkSync } from "node:fs";
import { createRequire } from "node:module";
import type { Family } from "../core/address.ts";
import { KernelError } from "../ports/error.ts";
import { libc } from "./libc.ts";
import {
  AF_UNIX,
  getOption,
  SO_ERROR,
  SO_PROTOCOL,
  SOCK_DGRAM,
  SOCK_NONBLOCK_CLOEXEC,
} from "./socket-option.ts";

const CAPABILITY_REMEDY =
  "run Holdfast as root, or give it CAP_NET_RAW (AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN in the unit)";

/**
 * A raw socket that tells the event loop when packets wait. The package opens and polls it; reading
 * goes over the descriptor, as the package reads one packet a turn and hides destination, hop limit
 * and errno.
 */
export interface ReceiveSocket {
  readonly fd: number;
  close(): void;
}

/**
 * `ready` and `failed` are called from the poll phase by code that loses exceptions and runs no
 * promise afterwards: they may only take note. `failed` gets the pending errno.
 */
export function openReceiveSocket(
  family: Family,
  protocol: number,
  ready: () => void,
  failed: (errno: number) => void,
): ReceiveSocket {
  const open = () => create(family, protocol, ready, failed);
  const { socket, fd } = openAtLowest(open, protocol) ?? openAndSearch(open, protocol);
  socket.fd = fd;
  return {
    fd,
    close: () => {
      socket.close();
    },
  };
}

interface Found {
  readonly socket: RawSocket & { fd: number };
  readonly fd: number;
}

/**
 * The kernel gives the lowest number that is free. `undefined`: another thread was faster. Searching
 * for the descriptor instead takes as long as there are descriptors, for each of a thousand sockets.
 */
function openAtLowest(open: () => Found["socket"], protocol: number): Found | undefined {
  loadPackage();
  const fd = libc().socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) return undefined;
  libc().close(fd);
  const socket = open();
  // Other threads may open sockets meanwhile, but none of this protocol.
  if (getOption(fd, SO_PROTOCOL) === protocol) return { socket, fd };
  socket.close();
  return undefined;
}

function openAndSearch(open: () => Found["socket"], protocol: number): Found {
  const before = new Set(openSockets().keys());
  const socket = open();
  for (const [inode, fd] of openSockets()) {
    if (!before.has(inode) && getOption(fd, SO_PROTOCOL) === protocol) return { socket, fd };
  }
  socket.close();
  throw new KernelError(
    "descriptor-not-found",
    "the raw socket's descriptor is not in /proc/self/fd",
    "mount /proc in the container or chroot that Holdfast runs in",
  );
}

/** What is used of the package; its own types lack the class. */
interface RawSocket {
  resumeRecv(): this;
  close(): this;
}
interface RawSocketPackage {
  readonly Socket: new (options: {
    readonly protocol: number;
    readonly addressFamily: number;
    readonly bufferSize: number;
  }) => RawSocket;
  readonly AddressFamily: { readonly IPv4: number; readonly IPv6: number };
}

function create(
  family: Family,
  protocol: number,
  ready: () => void,
  failed: (errno: number) => void,
): RawSocket & { fd: number } {
  const { Socket, AddressFamily } = loadPackage();
  class PolledSocket extends Socket {
    fd = -1;
    /** The package's hook for a readable socket. */
    onRecvReady(): void {
      ready();
    }
    /** Its hook for a poll error: libuv has stopped polling, the package would close. Go on. */
    onError(): void {
      const errno = getOption(this.fd, SO_ERROR) ?? 0;
      this.resumeRecv();
      failed(errno);
    }
  }
  try {
    const addressFamily = family === "ipv4" ? AddressFamily.IPv4 : AddressFamily.IPv6;
    // Its buffer stays unused: reading goes over the descriptor.
    return new PolledSocket({ protocol, addressFamily, bufferSize: 1 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KernelError(
      "raw-socket-refused",
      `no raw socket for IP protocol ${protocol} (${family}): ${reason}`,
      reason.includes("family")
        ? `this kernel has no ${family}; remove the instances that use it`
        : CAPABILITY_REMEDY,
    );
  }
}

/** Loaded on first use: a binary that does not fit this Node is an operating error, not a crash. */
function loadPackage(): RawSocketPackage {
  try {
    return createRequire(import.meta.url)("raw-socket") as RawSocketPackage;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
    throw new KernelError(
      "raw-socket-missing",
      `the package raw-socket cannot be loaded: ${reason}`,
      "run Holdfast with Node 22, and reinstall its dependencies (npm ci)",
    );
  }
}

/** Descriptors of this process's sockets by inode. */
function openSockets(): Map<string, number> {
  const sockets = new Map<string, number>();
  for (const name of readdirSync("/proc/self/fd")) {
    const target = linkTarget(name);
    if (target?.startsWith("socket:")) sockets.set(target, Number(name));
  }
  return sockets;
}

/** `undefined` for a descriptor that was closed meanwhile, such as the directory's own. */
function linkTarget(name: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    return undefined;
  }
}
