import { randomInt } from "node:crypto";
import koffi from "koffi";
import type { Family, IpAddress } from "../core/address.ts";
import { addressFromBytes } from "../core/address.ts";
import type {
  BfdDatagram,
  BfdListenSpec,
  BfdSender,
  BfdSendSpec,
  BfdSockets,
} from "../ports/bfd.ts";
import { KernelError } from "../ports/error.ts";
import { BFD_MULTIHOP_PORT, BFD_PORT } from "../wire/bfd.ts";
import { receiveUdp } from "./bfd-message.ts";
import { lastErrno, libc } from "./libc.ts";
import { ipSocketAddress } from "./socket-address.ts";
import * as option from "./socket-option.ts";

const at = (level: number, number: number, name: string): option.SocketOption => ({
  level,
  number,
  name,
});

const IP_TOS = at(0, 1, "IP_TOS");
const IP_TTL = at(0, 2, "IP_TTL");
const IP_PKTINFO = at(0, 8, "IP_PKTINFO");
const IP_RECVTTL = at(0, 12, "IP_RECVTTL");
const IPV6_UNICAST_HOPS = at(41, 16, "IPV6_UNICAST_HOPS");
const IPV6_V6ONLY = at(41, 26, "IPV6_V6ONLY");
const IPV6_TCLASS = at(41, 67, "IPV6_TCLASS");

/** Class selector 6, network control. */
const NETWORK_CONTROL = 0xc0;
/** TC_PRIO_CONTROL: ahead of bulk traffic in the default queueing discipline. */
const CONTROL_PRIORITY = 7;

/** RFC 5881 §4: the source port of a session is one of these, and stays. */
const PORTS = { first: 49_152, last: 65_535 };
const PORT_TRIES = 64;

/** Datagrams that one socket may deliver in one turn of the loop. */
const MOST_A_TURN = 64;
const MOST_A_DRAIN = 512;

/** A thousand datagrams wait in it, each with the kernel's record of it: the system's default has 250. */
const RECEIVE_BUFFER = 1_048_576;

const portOf = ({ hops }: BfdListenSpec): number =>
  hops === "single" ? BFD_PORT : BFD_MULTIHOP_PORT;

/** The UDP sockets of this process's sessions: one that listens for each port, one that sends for each. */
export function createBfdSockets(): BfdSockets {
  const listeners = new Set<Listener>();
  return {
    listen(spec, receive) {
      const listener = new Listener(spec, receive);
      listeners.add(listener);
      return {
        close: () => {
          listeners.delete(listener);
          listener.close();
        },
      };
    },
    openSender: (spec) => new Sender(spec),
    drain() {
      for (const listener of [...listeners]) listener.read(MOST_A_DRAIN);
    },
    random: () => randomInt(1, 2 ** 32),
  };
}

class Listener {
  readonly #spec: BfdListenSpec;
  readonly #receive: (datagram: BfdDatagram) => void;
  readonly #fd: number;
  readonly #poll: { close(): void };
  #scheduled: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(spec: BfdListenSpec, receive: (datagram: BfdDatagram) => void) {
    this.#spec = spec;
    this.#receive = receive;
    this.#fd = openListener(spec);
    // An exception in koffi's callback would be lost: only take note here.
    this.#poll = koffi.node.poll(this.#fd, { readable: true }, () => {
      this.#scheduled ??= setImmediate(() => {
        this.#scheduled = undefined;
        this.read(MOST_A_TURN);
      });
    });
  }

  /** Hands over at most `limit` datagrams; what stays behind wakes the loop again. */
  read(limit: number): void {
    const { family, hops } = this.#spec;
    for (let count = 0; count < limit && !this.#closed; count += 1) {
      const message = receiveUdp(this.#fd, family);
      if (message === undefined) return;
      this.#receive({ ...message, hops });
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#poll.close();
    libc().close(this.#fd);
  }
}

class Sender implements BfdSender {
  readonly #spec: BfdSendSpec;
  readonly #fd: number;
  readonly #scope: number;
  #destination: { readonly of: IpAddress; readonly bytes: Uint8Array } | undefined;

  constructor(spec: BfdSendSpec) {
    this.#spec = spec;
    this.#scope = spec.interfaceIndex ?? 0;
    this.#fd = openSocket(spec.family);
    try {
      this.#prepare();
    } catch (error) {
      libc().close(this.#fd);
      throw error;
    }
  }

  send(bytes: Uint8Array, destination: IpAddress): string | undefined {
    const address = this.#addressOf(destination);
    const flags = option.MSG_DONTWAIT;
    const sent = libc().sendto(this.#fd, bytes, bytes.length, flags, address, address.length);
    return sent < 0 ? lastErrno() : undefined;
  }

  close(): void {
    libc().close(this.#fd);
  }

  #prepare(): void {
    const { family, source, ttl } = this.#spec;
    const v4 = family === "ipv4";
    option.setOption(this.#fd, v4 ? IP_TTL : IPV6_UNICAST_HOPS, ttl);
    option.setOption(this.#fd, v4 ? IP_TOS : IPV6_TCLASS, NETWORK_CONTROL);
    // 7 needs CAP_NET_ADMIN; 6 is free for all.
    if (option.trySetOption(this.#fd, option.SO_PRIORITY, CONTROL_PRIORITY) !== undefined) {
      option.trySetOption(this.#fd, option.SO_PRIORITY, CONTROL_PRIORITY - 1);
    }
    if (this.#scope !== 0) option.setOption(this.#fd, option.SO_BINDTOIFINDEX, this.#scope);
    const own = ipSocketAddress(source ?? anyAddress(family), this.#scope);
    for (let tries = 0; ; tries += 1) {
      writePort(own, randomInt(PORTS.first, PORTS.last + 1));
      if (libc().bind(this.#fd, own, own.length) === 0) return;
      const errno = lastErrno();
      if (errno !== "EADDRINUSE" || tries >= PORT_TRIES) throw sourceRefused(source, errno);
    }
  }

  #addressOf(destination: IpAddress): Uint8Array {
    if (this.#destination?.of === destination) return this.#destination.bytes;
    const bytes = ipSocketAddress(destination, this.#scope);
    writePort(bytes, portOf(this.#spec));
    this.#destination = { of: destination, bytes };
    return bytes;
  }
}

function openListener(spec: BfdListenSpec): number {
  const { family } = spec;
  const fd = openSocket(family);
  try {
    if (family === "ipv4") {
      option.setOption(fd, IP_RECVTTL, 1);
      option.setOption(fd, IP_PKTINFO, 1);
    } else {
      option.setOption(fd, IPV6_V6ONLY, 1);
      option.setOption(fd, option.IPV6_RECVPKTINFO, 1);
      option.setOption(fd, option.IPV6_RECVHOPLIMIT, 1);
    }
    if (option.trySetOption(fd, option.SO_RCVBUFFORCE, RECEIVE_BUFFER) !== undefined) {
      option.trySetOption(fd, option.SO_RCVBUF, RECEIVE_BUFFER);
    }
    const address = ipSocketAddress(anyAddress(family), 0);
    writePort(address, portOf(spec));
    if (libc().bind(fd, address, address.length) !== 0) throw portRefused(spec, lastErrno());
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  return fd;
}

function openSocket(family: Family): number {
  const domain = family === "ipv4" ? option.AF_INET : option.AF_INET6;
  const fd = libc().socket(domain, option.SOCK_DGRAM | option.SOCK_NONBLOCK_CLOEXEC, 0);
  if (fd >= 0) return fd;
  const errno = lastErrno();
  throw new KernelError(
    "bfd-socket-refused",
    `no socket for BFD over ${family} (${errno})`,
    errno === "EAFNOSUPPORT"
      ? `this kernel has no ${family}; remove the bfd_instances that use it`
      : "raise the limit of open files (LimitNOFILE= in the unit, or ulimit -n)",
  );
}

const anyAddress = (family: Family): IpAddress =>
  addressFromBytes(new Uint8Array(family === "ipv4" ? 4 : 16));

/** The port is at the same place in sockaddr_in and sockaddr_in6, in network order. */
function writePort(address: Uint8Array, port: number): void {
  address[2] = port >> 8;
  address[3] = port & 0xff;
}

const portRefused = (spec: BfdListenSpec, errno: string): KernelError =>
  new KernelError(
    "bfd-port-refused",
    `UDP port ${portOf(spec)} of BFD cannot be had (${errno})`,
    errno === "EADDRINUSE"
      ? `stop the other BFD daemon on this host (ss -lunp "sport = :${portOf(spec)}" shows it)`
      : "look at what the security module of this host forbids",
  );

const sourceRefused = (source: IpAddress | undefined, errno: string): KernelError =>
  new KernelError(
    "bfd-source-refused",
    `BFD cannot send from ${source ?? "any address"} (${errno})`,
    errno === "EADDRNOTAVAIL"
      ? "put the address of source_ip on this host, or correct it"
      : "look at what else uses the ports 49152-65535 (ss -uanp)",
  );
