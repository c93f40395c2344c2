import { randomBytes } from "node:crypto";
import type { Family, IpAddress } from "../core/address.ts";
import { familyOf } from "../core/address.ts";
import type { PingSource, Pings, SentPing } from "../ports/probes.ts";
import { decodeEchoReply, encodeEchoRequest } from "../wire/icmp-echo.ts";
import { equalOctets } from "../wire/octets.ts";
import { lastErrno, libc } from "./libc.ts";
import { openPingSocket } from "./ping-socket.ts";
import { pollDescriptor } from "./polled-descriptor.ts";
import { ipSocketAddress } from "./socket-address.ts";

/** Nobody else knows it: what carries it is the answer to a request of ours. */
const TOKEN_LENGTH = 12;
/** As long as the payload of ping(8), which every firewall knows. */
const PAYLOAD_LENGTH = 56;
const LONGEST_MESSAGE = 1_500;

interface OpenSocket {
  readonly fd: number;
  close(): void;
}

/** One socket for each family, opened when it is first needed. */
export function openPings(source?: PingSource): Pings {
  return new KernelPings(source);
}

class KernelPings implements Pings {
  readonly #token = randomBytes(TOKEN_LENGTH);
  /** Raw sockets see the replies to others; datagram sockets get an identifier of their own. */
  readonly #identifier = randomBytes(2).readUInt16BE();
  readonly #sockets = new Map<Family, OpenSocket>();
  readonly #waiting = new Map<number, () => void>();
  readonly #source: PingSource | undefined;
  #count = 0;

  constructor(source: PingSource | undefined) {
    this.#source = source;
  }

  send(target: IpAddress, answered: () => void): SentPing {
    const family = familyOf(target);
    const socket = this.#sockets.get(family) ?? this.#open(family);
    this.#count = (this.#count + 1) >>> 0;
    const count = this.#count;
    const payload = Buffer.alloc(PAYLOAD_LENGTH);
    this.#token.copy(payload);
    payload.writeUInt32BE(count, TOKEN_LENGTH);
    const message = encodeEchoRequest(family, {
      identifier: this.#identifier,
      sequence: count & 0xffff,
      payload,
    });
    const address = ipSocketAddress(target, 0);
    const sent = libc().sendto(socket.fd, message, message.length, 0, address, address.length);
    if (sent < 0) return { errno: lastErrno(), forget: () => {} };
    this.#waiting.set(count, answered);
    return { errno: undefined, forget: () => this.#waiting.delete(count) };
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
    this.#waiting.clear();
  }

  #open(family: Family): OpenSocket {
    const { fd, withHeader } = openPingSocket(family, this.#source);
    const poll = pollDescriptor(fd, LONGEST_MESSAGE, (packet) => {
      this.#receive(family, withHeader ? packet.subarray(((packet[0] ?? 0) & 15) * 4) : packet);
    });
    const socket = { fd, close: () => poll.close() };
    this.#sockets.set(family, socket);
    return socket;
  }

  #receive(family: Family, message: Uint8Array): void {
    const echo = decodeEchoReply(family, message);
    if (!echo.ok || echo.value.payload.length < TOKEN_LENGTH + 4) return;
    const { payload } = echo.value;
    if (!equalOctets(payload.subarray(0, TOKEN_LENGTH), this.#token)) return;
    const count = new DataView(payload.buffer, payload.byteOffset).getUint32(TOKEN_LENGTH);
    const answered = this.#waiting.get(count);
    this.#waiting.delete(count);
    answered?.();
  }
}
