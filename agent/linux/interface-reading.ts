import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { ReadInterface } from "../ports/interfaces.ts";
import { libc } from "./libc.ts";
import { AF_INET, SOCK_DGRAM, SOCK_NONBLOCK_CLOEXEC } from "./socket-option.ts";

const SIOCGIFFLAGS = 0x8913;
const SIOCGIFMTU = 0x8921;
const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const NAME_LENGTH = 16;
/** struct ifreq. */
const REQUEST_LENGTH = 40;

/**
 * Reads an interface of the network namespace that the main thread is in, so not from /sys, which
 * shows the one in which it was mounted. Main thread only.
 */
export const readInterface: ReadInterface = (name) => {
  const counters = countersOf(name);
  if (counters === undefined) return undefined;
  const fd = libc().socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, 0);
  try {
    const flags = ask(fd, SIOCGIFFLAGS, name)?.getUint16(NAME_LENGTH, true);
    const mtu = ask(fd, SIOCGIFMTU, name)?.getInt32(NAME_LENGTH, true);
    if (flags === undefined || mtu === undefined) return undefined;
    const addresses = (networkInterfaces()[name] ?? []).map(({ address }) => address);
    const up = (flags & IFF_UP) !== 0;
    return { up, carrier: (flags & IFF_RUNNING) !== 0, mtu, addresses, ...counters };
  } finally {
    libc().close(fd);
  }
};

function ask(fd: number, question: number, name: string): DataView | undefined {
  const request = new Uint8Array(REQUEST_LENGTH);
  request.set(new TextEncoder().encode(name).subarray(0, NAME_LENGTH - 1));
  if (libc().ioctl(fd, question, request) !== 0) return undefined;
  return new DataView(request.buffer);
}

/** Columns of /proc/net/dev: eight of what was received, then eight of what was sent. */
function countersOf(
  name: string,
): { receivedBytes: number; sentBytes: number; errors: number } | undefined {
  for (const line of readFileSync("/proc/thread-self/net/dev", "utf8").split("\n")) {
    const [label = "", columns = ""] = line.split(/:(?=\s*\d)/);
    if (label.trim() !== name) continue;
    const counts = columns.trim().split(/\s+/).map(Number);
    const at = (index: number): number => counts[index] ?? 0;
    return { receivedBytes: at(0), sentBytes: at(8), errors: at(2) + at(10) };
  }
  return undefined;
}
