import type { IpAddress } from "../core/address.ts";
import { addressBytes } from "../core/address.ts";
import type { Endpoint, EndpointSpec, ReceivedPacket } from "../ports/advertisement-sockets.ts";
import { DROP_ALL } from "../wire/bpf.ts";
import { systemClock } from "./clock.ts";
import { DistantSocket } from "./distant-socket.ts";
import { errnoName } from "./errno.ts";
import { lastErrno, libc } from "./libc.ts";
import { receiveMessage } from "./message.ts";
import { attachFilter, filterFor } from "./packet-filter.ts";
import type { ReceiveSocket } from "./receive-socket.ts";
import { openReceiveSocket } from "./receive-socket.ts";
import { openSendSocket } from "./send-socket.ts";
import { ipSocketAddress } from "./socket-address.ts";
import * as option from "./socket-option.ts";

/** Calls back in a phase of the event loop where exceptions and promises work as usual. */
export type Postpone = (work: () => void) => void;

/** Peers come and go seldom; the bound keeps a caller that makes addresses up from filling memory. */
const REMEMBERED_DESTINATIONS = 1_024;

/** Less would lose packets of a burst, as each takes most of a kilobyte of kernel memory. */
const LEAST_BUFFER = 8_192;

/** One spec's sockets: one that receives, one for samples of what that must not, one that sends. */
export class SocketEndpoint implements Endpoint {
  readonly #spec: EndpointSpec;
  readonly #receive: (packet: ReceivedPacket) => void;
  readonly #failed: (errno: string) => void;
  readonly #receiver: ReceiveSocket;
  readonly #distant: DistantSocket | undefined;
  readonly #sender: number;
  readonly #destinations = new Map<IpAddress, Uint8Array>();
  #defaultBuffer: number | undefined;
  #closed = false;

  constructor(
    spec: EndpointSpec,
    receive: (packet: ReceivedPacket) => void,
    failed: (errno: string) => void,
    ready: (endpoint: SocketEndpoint) => void,
    postpone: Postpone,
  ) {
    this.#spec = spec;
    this.#receive = receive;
    this.#failed = failed;
    this.#receiver = openReceiveSocket(
      spec.family,
      spec.protocol,
      () => ready(this),
      (errno) => postpone(() => this.#fail(errnoName(errno))),
    );
    let distant: DistantSocket | undefined;
    try {
      this.#prepareReceiver();
      distant = spec.group === undefined ? undefined : new DistantSocket(spec);
      this.#distant = distant;
      this.#sender = openSendSocket(spec);
    } catch (error) {
      this.#receiver.close();
      distant?.close();
      throw error;
    }
  }

  send(packet: Uint8Array, destination: IpAddress): boolean {
    if (this.#closed) return false;
    const address = this.#socketAddress(destination);
    const { length } = packet;
    const sent = libc().sendto(this.#sender, packet, length, 0, address, address.length);
    if (sent !== length) this.#failed(sent < 0 ? lastErrno() : "EMSGSIZE");
    return sent === length;
  }

  setVrids(vrids: ReadonlySet<number>): void {
    if (this.#closed) return;
    attachFilter(this.#receiver.fd, filterFor(this.#spec, vrids));
    this.#distant?.setVrids(vrids);
  }

  /** Beyond net.core.rmem_max with CAP_NET_ADMIN, else as much as the system allows. */
  setReceiveBuffer(wanted: number | undefined): void {
    if (this.#closed) return;
    const { fd } = this.#receiver;
    // Getting reports twice what was set: the kernel counts its own records too.
    this.#defaultBuffer ??= (option.getOption(fd, option.SO_RCVBUF) ?? 0) / 2;
    const bytes = wanted === undefined ? this.#defaultBuffer : Math.max(wanted, LEAST_BUFFER);
    if (option.trySetOption(fd, option.SO_RCVBUFFORCE, bytes) === undefined) return;
    option.trySetOption(fd, option.SO_RCVBUF, bytes);
  }

  rejoin(): string | undefined {
    const { group } = this.#spec;
    if (this.#closed || group === undefined) return undefined;
    const membership = this.#membership(group);
    const [leave, join] = this.#v4
      ? [option.IP_DROP_MEMBERSHIP, option.IP_ADD_MEMBERSHIP]
      : [option.IPV6_DROP_MEMBERSHIP, option.IPV6_ADD_MEMBERSHIP];
    // Leaving fails where the kernel has already left, as when the link was removed.
    option.trySetOption(this.#receiver.fd, leave, membership);
    const errno = option.trySetOption(this.#receiver.fd, join, membership);
    return errno === "EADDRINUSE" ? undefined : errno;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiver.close();
    this.#distant?.close();
    libc().close(this.#sender);
  }

  /** Hands over at most `limit` packets that wait. Answers how many there were. */
  read(limit: number): number {
    let count = 0;
    while (count < limit && !this.#closed) {
      const message = receiveMessage(this.#receiver.fd, this.#spec.family);
      if (message === undefined) break;
      count += 1;
      if (typeof message === "string") this.#fail(message);
      else this.#receive({ ...message, at: systemClock.now() });
    }
    return count;
  }

  /** Hands over at most `limit` packets that crossed a router. */
  readDistant(limit: number): void {
    for (let count = 0; count < limit && !this.#closed; count += 1) {
      const message = this.#distant?.next();
      if (message === undefined) return;
      this.#receive({ ...message, at: systemClock.now() });
    }
  }

  get #v4(): boolean {
    return this.#spec.family === "ipv4";
  }

  #fail(errno: string): void {
    if (!this.#closed) this.#failed(errno);
  }

  /** What comes in before the socket is bound may be of any interface: it is thrown away. */
  #prepareReceiver(): void {
    const { fd } = this.#receiver;
    const { family, group, interfaceIndex } = this.#spec;
    attachFilter(fd, DROP_ALL);
    while (receiveMessage(fd, family) !== undefined);
    if (interfaceIndex !== undefined) option.setOption(fd, option.SO_BINDTOIFINDEX, interfaceIndex);
    option.setOption(fd, this.#v4 ? option.IP_MULTICAST_ALL : option.IPV6_MULTICAST_ALL, 0);
    if (!this.#v4) {
      option.setOption(fd, option.IPV6_RECVPKTINFO, 1);
      option.setOption(fd, option.IPV6_RECVHOPLIMIT, 1);
    }
    if (group !== undefined) {
      const join = this.#v4 ? option.IP_ADD_MEMBERSHIP : option.IPV6_ADD_MEMBERSHIP;
      option.setOption(fd, join, this.#membership(group));
    }
    attachFilter(fd, filterFor(this.#spec, undefined));
  }

  /** struct ip_mreqn (group, local address, index) or struct ipv6_mreq (group, index). */
  #membership(group: IpAddress): Uint8Array {
    const address = addressBytes(group);
    const request = new Uint8Array(this.#v4 ? 12 : 20);
    request.set(address);
    new DataView(request.buffer).setInt32(request.length - 4, this.#spec.interfaceIndex ?? 0, true);
    return request;
  }

  #socketAddress(destination: IpAddress): Uint8Array {
    const known = this.#destinations.get(destination);
    if (known !== undefined) return known;
    const address = ipSocketAddress(destination, this.#spec.interfaceIndex ?? 0);
    if (this.#destinations.size >= REMEMBERED_DESTINATIONS) this.#destinations.clear();
    this.#destinations.set(destination, address);
    return address;
  }
}
