import { closeSync, openSync } from "node:fs";
import koffi from "koffi";
import type { KernelProcessEvent } from "../wire/netlink/process-connector.ts";
import {
  decodeProcessEvent,
  encodeListen,
  PROCESS_GROUP,
} from "../wire/netlink/process-connector.ts";
import { lastErrno, libc } from "./libc.ts";
import { insideNamespace } from "./namespace.ts";
import {
  MSG_DONTWAIT,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_DGRAM,
  SOCK_NONBLOCK_CLOEXEC,
  trySetOption,
} from "./socket-option.ts";

const AF_NETLINK = 16;
const NETLINK_CONNECTOR = 11;
const NO_ENOBUFS = { level: 270, number: 5, name: "NETLINK_NO_ENOBUFS" } as const;
/** About ten thousand events. */
const RECEIVE_BUFFER = 4 << 20;
/** The network namespace of the first process: the initial one, but in containers. */
const FIRST_NAMESPACE = "/proc/1/ns/net";
/** In one turn of the loop. */
const MOST_AT_ONCE = 2_000;

export interface ProcessConnector {
  close(): void;
}

/**
 * Hears of the processes of this host from the kernel. `heard` gets what came in one turn of the event
 * loop; `lost`: whether events before these were lost. Works in the initial pid namespace and with
 * CAP_NET_ADMIN only; its socket belongs to the initial network namespace, which is entered for it.
 * Main thread only. Answers the errno name when the kernel refuses.
 */
export function openProcessConnector(
  heard: (events: readonly KernelProcessEvent[], lost: boolean) => void,
  receiveBuffer = RECEIVE_BUFFER,
): ProcessConnector | string {
  const open = () => subscribedSocket(receiveBuffer);
  const here = open();
  const fd = typeof here === "string" ? elsewhere(open, here) : here;
  return typeof fd === "string" ? fd : new Listener(fd, heard);
}

function elsewhere(open: () => number | string, errno: string): number | string {
  let namespace: number | undefined;
  try {
    namespace = openSync(FIRST_NAMESPACE, "r");
    return insideNamespace(namespace, open);
  } catch {
    return errno;
  } finally {
    if (namespace !== undefined) closeSync(namespace);
  }
}

/** A socket to which the kernel tells events, or why there is none. */
function subscribedSocket(receiveBuffer: number): number | string {
  const fd = libc().socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, NETLINK_CONNECTOR);
  if (fd < 0) return lastErrno();
  const errno = subscribe(fd, receiveBuffer);
  if (errno === undefined) return fd;
  libc().close(fd);
  return errno;
}

function subscribe(fd: number, receiveBuffer: number): string | undefined {
  const group = socketAddress(1 << (PROCESS_GROUP - 1));
  if (libc().bind(fd, group, group.length) !== 0) return lastErrno();
  // An overrun then shows as a number of drops, not as an error that stops the polling.
  trySetOption(fd, NO_ENOBUFS, 1);
  if (trySetOption(fd, SO_RCVBUFFORCE, receiveBuffer) !== undefined) {
    trySetOption(fd, SO_RCVBUF, receiveBuffer);
  }
  const token = process.pid;
  const request = encodeListen(token);
  const kernel = socketAddress(0);
  if (libc().sendto(fd, request, request.length, 0, kernel, kernel.length) < 0) return lastErrno();
  // The kernel answers before sendto returns. In another pid or user namespace it does not answer.
  for (const event of received(fd)) {
    if (event.kind !== "answer" || event.acknowledges !== token) continue;
    return event.errno === 0 ? undefined : "EPERM";
  }
  return "ENOMSG";
}

/** sockaddr_nl; the kernel has port 0, and gives this socket one. */
function socketAddress(groups: number): Uint8Array {
  const bytes = new Uint8Array(12);
  new Uint16Array(bytes.buffer)[0] = AF_NETLINK;
  new Uint32Array(bytes.buffer)[2] = groups;
  return bytes;
}

const buffer = new Uint8Array(4_096);

function* received(fd: number): Generator<KernelProcessEvent> {
  for (let count = 0; count < MOST_AT_ONCE; count++) {
    const length = libc().recv(fd, buffer, buffer.length, MSG_DONTWAIT);
    if (length < 0) return;
    const event = decodeProcessEvent(buffer.subarray(0, length));
    if (event !== undefined) yield event;
  }
}

/** koffi forgets handles that nobody holds. */
const listeners = new Set<Listener>();

class Listener implements ProcessConnector {
  readonly #fd: number;
  readonly #heard: (events: readonly KernelProcessEvent[], lost: boolean) => void;
  readonly #poll: { close(): void };
  #reading: NodeJS.Immediate | undefined;
  #drops: number;

  constructor(fd: number, heard: (events: readonly KernelProcessEvent[], lost: boolean) => void) {
    this.#fd = fd;
    this.#heard = heard;
    this.#drops = this.#droppedSoFar();
    // An exception in koffi's callback would be lost: only take note here.
    this.#poll = koffi.node.poll(fd, { readable: true }, () => {
      this.#reading ??= setImmediate(() => this.#read());
    });
    listeners.add(this);
  }

  close(): void {
    if (!listeners.delete(this)) return;
    if (this.#reading !== undefined) clearImmediate(this.#reading);
    this.#poll.close();
    libc().close(this.#fd);
  }

  #read(): void {
    this.#reading = undefined;
    const events = [...received(this.#fd)];
    const drops = this.#droppedSoFar();
    const lost = drops !== this.#drops;
    this.#drops = drops;
    if (events.length > 0 || lost) this.#heard(events, lost);
  }

  #droppedSoFar(): number {
    const counters = new Uint32Array(9);
    const bytes = new Uint8Array(counters.buffer);
    const length = new Uint8Array(Int32Array.of(bytes.length).buffer);
    libc().getsockopt(this.#fd, SO_MEMINFO.level, SO_MEMINFO.number, bytes, length);
    return counters[8] ?? 0;
  }
}
