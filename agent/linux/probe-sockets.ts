import { familyOf } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import type {
  Connection,
  ConnectionListener,
  ProbeEndpoint,
  ProbeSockets,
  Protocol,
} from "../ports/probe-sockets.ts";
import {
  DescriptorEvents,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
} from "./descriptor-events.ts";
import { errnoName } from "./errno.ts";
import { lastErrno, libc } from "./libc.ts";
import { ipSocketAddress } from "./socket-address.ts";
import * as option from "./socket-option.ts";
import { setSource } from "./socket-source.ts";
import { neighbourOf, sourceTowards } from "./source-towards.ts";

const BUFFER_LENGTH = 65_536;
const WATCHED = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
/** One of them is something to read, an end or an error. */
const READABLE = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
/** Of one connection before others have their turn. */
const MOST_READS = 8;

/** Nothing is opened before the first connection. */
export function openProbeSockets(): ProbeSockets {
  return new KernelProbeSockets();
}

class KernelProbeSockets implements ProbeSockets {
  readonly #connections = new Map<number, KernelConnection>();
  /** Of endpoints that are connected to again and again. */
  readonly #places = new WeakMap<ProbeEndpoint, Uint8Array>();
  readonly #buffer = new Uint8Array(BUFFER_LENGTH);
  #events: DescriptorEvents | undefined;
  #keys = 0;

  connect(
    protocol: Protocol,
    to: ProbeEndpoint,
    listener: ConnectionListener,
  ): Connection | { readonly errno: string } {
    this.#events ??= new DescriptorEvents((key, events) => {
      // One that was closed in the same turn has no connection any more.
      this.#connections.get(key)?.happened(events, this.#buffer);
    });
    const events = this.#events;
    const fd = openSocket(protocol, to, this.#placeOf(to));
    if (typeof fd === "string") return { errno: fd };
    // Keys come back after 2³² connections, as old ones are long gone.
    this.#keys = (this.#keys + 1) >>> 0;
    const key = this.#keys;
    const gone = (): void => void this.#connections.delete(key);
    const connection = new KernelConnection({ fd, key, protocol, listener, events, gone });
    try {
      events.watch(fd, key, WATCHED);
    } catch (error) {
      libc().close(fd);
      throw error;
    }
    this.#connections.set(key, connection);
    return connection;
  }

  #placeOf(to: ProbeEndpoint): Uint8Array {
    const known = this.#places.get(to);
    if (known !== undefined) return known;
    const place = ipSocketAddress(to.address, 0, to.port);
    this.#places.set(to, place);
    return place;
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.close();
    this.#events?.close();
    this.#events = undefined;
  }
}

interface Opened {
  readonly fd: number;
  readonly key: number;
  readonly protocol: Protocol;
  readonly listener: ConnectionListener;
  readonly events: DescriptorEvents;
  readonly gone: () => void;
}

class KernelConnection implements Connection {
  readonly #opened: Opened;
  #state: "connecting" | "connected" | "closed" = "connecting";

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  send(bytes: Uint8Array): string | undefined {
    const { fd } = this.#opened;
    const sent = libc().send(fd, bytes, bytes.length, option.MSG_NOSIGNAL);
    if (sent === bytes.length) return undefined;
    return sent < 0 ? lastErrno() : "EAGAIN";
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#leave();
    // With it goes what epoll knows of it.
    libc().close(this.#opened.fd);
  }

  release(): number {
    assert(this.#state === "connected", "only what is connected and open can be released");
    this.#leave();
    this.#opened.events.forget(this.#opened.fd);
    return this.#opened.fd;
  }

  happened(events: number, buffer: Uint8Array): void {
    if (this.#state === "connecting") this.#connected(events);
    if ((events & READABLE) !== 0) this.#read(events, buffer);
  }

  #leave(): void {
    this.#state = "closed";
    this.#opened.gone();
  }

  #connected(events: number): void {
    const { fd, listener } = this.#opened;
    if ((events & (EPOLLERR | EPOLLHUP)) !== 0) {
      const errno = option.getOption(fd, option.SO_ERROR) ?? 0;
      if (errno !== 0) {
        this.#fail(errnoName(errno));
        return;
      }
    }
    this.#state = "connected";
    listener.connected();
  }

  #read(happened: number, buffer: Uint8Array): void {
    const { fd, key, protocol, listener, events } = this.#opened;
    const mayEnd = protocol === "udp" || (happened & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) !== 0;
    for (let count = 0; count < MOST_READS && this.#isOpen(); count += 1) {
      const length = libc().recv(fd, buffer, buffer.length, option.MSG_DONTWAIT);
      if (length < 0) {
        const errno = lastErrno();
        if (errno !== "EAGAIN") this.#fail(errno);
        return;
      }
      if (length === 0 && protocol === "tcp") {
        listener.ended();
        return;
      }
      listener.received(buffer.subarray(0, length));
      // A stream that had less than there was room for has no more: what comes then is told again.
      if (length < buffer.length && !mayEnd) return;
    }
    if (this.#isOpen()) events.watchAgain(fd, key, WATCHED);
  }

  #fail(errno: string): void {
    this.close();
    this.#opened.listener.failed(errno);
  }

  #isOpen(): boolean {
    return this.#state !== "closed";
  }
}

/** A socket on its way to the endpoint, or the errno. */
function openSocket(protocol: Protocol, to: ProbeEndpoint, place: Uint8Array): number | string {
  const family = familyOf(to.address);
  const domain = family === "ipv4" ? option.AF_INET : option.AF_INET6;
  const type = protocol === "tcp" ? option.SOCK_STREAM : option.SOCK_DGRAM;
  const fd = libc().socket(domain, type | option.SOCK_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) return lastErrno();
  // Else UDP would hear of closed ports alone, and not of hosts that are not there.
  const told = family === "ipv4" ? option.IP_RECVERR : option.IPV6_RECVERR;
  if (protocol === "udp") option.trySetOption(fd, told, 1);
  const from = ownSource(to);
  const errno =
    typeof from === "string" ? from : (setSource(fd, from, family) ?? connect(fd, place));
  if (errno === undefined) return fd;
  libc().close(fd);
  return errno;
}

/**
 * What goes to an address that may be this host's own would be sent from that very address, where no answer
 * comes: with a data path it is sent from the one that the real server is talked to from. Or the errno.
 */
function ownSource(to: ProbeEndpoint): ProbeEndpoint | string {
  if (to.dataPath === undefined || to.sourceAddress !== undefined) return to;
  const { server } = to.dataPath;
  const source = sourceTowards(server, to.interface);
  if ("errno" in source) return source.errno;
  const usual = source.address === to.address ? undefined : source.address;
  const sourceAddress = usual ?? neighbourOf(server, to.address);
  return sourceAddress === undefined ? "EADDRNOTAVAIL" : { ...to, sourceAddress };
}

function connect(fd: number, place: Uint8Array): string | undefined {
  if (libc().connect(fd, place, place.length) === 0) return undefined;
  const errno = lastErrno();
  return errno === "EINPROGRESS" ? undefined : errno;
}
