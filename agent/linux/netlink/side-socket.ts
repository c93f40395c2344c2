import { KernelError } from "../../ports/error.ts";
import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import {
  CONTROL,
  decodeAcknowledgement,
  decodeMessages,
  encodeMessage,
  FLAG,
  joinMessages,
} from "../../wire/netlink/message.ts";
import { errnoName } from "../errno.ts";
import { lastErrno, libc } from "../libc.ts";
import type { SocketOption } from "../socket-option.ts";
import { SO_RCVBUFFORCE, trySetOption } from "../socket-option.ts";

const AF_NETLINK = 16;
const NETLINK_ROUTE = 0;
const SOCK_RAW_CLOEXEC = 3 | 0o200_0000;
const SO_RCVTIMEO: SocketOption = { level: 1, number: 20, name: "SO_RCVTIMEO" };
const CAP_ACK: SocketOption = { level: 270, number: 10, name: "NETLINK_CAP_ACK" };
const STRICT_CHECK: SocketOption = { level: 270, number: 12, name: "NETLINK_GET_STRICT_CHK" };
/** The kernel. */
const NOBODY = netlinkAddress();
const BUFFER_BYTES = 8 << 20;
const LARGEST_ANSWER = 64 << 10;
/** Requests in one datagram: their answers wait in the socket together. */
const BATCH = 256;
/** A dump that saw changes is asked for again, this often at most. */
const ATTEMPTS = 4;

/** Messages of one answer, or the errno name of what went wrong. */
export interface Shown {
  readonly errno: string | undefined;
  readonly messages: readonly NetlinkMessage[];
}

/**
 * A socket of rtnetlink whose calls run beside the event loop, one at a time: whoever holds the kernel's
 * lock holds up these, and not this process. It belongs to the namespace that the main thread was in.
 */
export class SideSocket {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(LARGEST_ANSWER);
  #sequence = 1;

  /** Throws a KernelError when the socket cannot be had. */
  constructor() {
    this.#fd = libc().socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
    if (this.#fd < 0) {
      throw new KernelError(
        "netlink-refused",
        `cannot open a netlink socket (${lastErrno()})`,
        "allow AF_NETLINK (RestrictAddressFamilies= of the systemd unit, or the container's seccomp profile)",
      );
    }
    trySetOption(this.#fd, SO_RCVBUFFORCE, BUFFER_BYTES);
    for (const option of [CAP_ACK, STRICT_CHECK]) trySetOption(this.#fd, option, 1);
    const second = new Uint8Array(BigInt64Array.of(1n, 0n).buffer);
    libc().setsockopt(this.#fd, SO_RCVTIMEO.level, SO_RCVTIMEO.number, second, second.length);
  }

  /** The errno name of each request that was refused, `undefined` for the others, in order. */
  async request(messages: readonly Uint8Array[]): Promise<readonly (string | undefined)[]> {
    const answers: (string | undefined)[] = [];
    for (let at = 0; at < messages.length; at += BATCH) {
      answers.push(...(await this.#batch(messages.slice(at, at + BATCH))));
    }
    return answers;
  }

  async dump(type: number, body: Uint8Array): Promise<Shown> {
    const request = encodeMessage(type, FLAG.request | FLAG.dump, body);
    for (let attempt = 1; ; attempt += 1) {
      const { interrupted, ...shown } = await this.#dumpOnce(request);
      if (!interrupted || attempt === ATTEMPTS) return shown;
    }
  }

  close(): void {
    libc().close(this.#fd);
  }

  async #batch(messages: readonly Uint8Array[]): Promise<readonly (string | undefined)[]> {
    const first = this.#take(messages.length);
    const refused = await this.#send(joinMessages(messages, first, 0));
    if (refused !== undefined) return messages.map(() => refused);
    const answers: (string | undefined)[] = messages.map(() => "ETIMEDOUT");
    for (let open = messages.length; open > 0; ) {
      const received = await this.#receive(first);
      if (typeof received === "string") break;
      for (const message of received) {
        if (message.type !== CONTROL.error) continue;
        answers[message.sequence - first] = errnoOf(message);
        open -= 1;
      }
    }
    return answers;
  }

  async #dumpOnce(request: Uint8Array): Promise<Shown & { readonly interrupted: boolean }> {
    const first = this.#take(1);
    const messages: NetlinkMessage[] = [];
    let interrupted = false;
    const ended = (errno: string | undefined) => ({ errno, messages, interrupted });
    const refused = await this.#send(joinMessages([request], first, 0));
    if (refused !== undefined) return ended(refused);
    for (;;) {
      const received = await this.#receive(first);
      if (typeof received === "string") return ended(received);
      for (const message of received) {
        if ((message.flags & FLAG.dumpInterrupted) !== 0) interrupted = true;
        if (message.type === CONTROL.error) return ended(errnoOf(message));
        if (message.type === CONTROL.done) return ended(undefined);
        messages.push(message);
      }
    }
  }

  #take(count: number): number {
    const first = this.#sequence;
    this.#sequence += count;
    return first;
  }

  async #send(bytes: Uint8Array): Promise<string | undefined> {
    const { length } = bytes;
    const sent = await beside("sendto", [this.#fd, bytes, length, 0, NOBODY, NOBODY.length]);
    return typeof sent === "string" ? sent : undefined;
  }

  /** What is about requests from `first` on; what is older came too late. */
  async #receive(first: number): Promise<readonly NetlinkMessage[] | string> {
    const received = await beside("recv", [this.#fd, this.#buffer, this.#buffer.length, 0]);
    if (typeof received === "string") return received === "EAGAIN" ? "ETIMEDOUT" : received;
    const messages = decodeMessages(this.#buffer.slice(0, received));
    return messages.filter(({ sequence }) => sequence >= first);
  }
}

function errnoOf(message: NetlinkMessage): string | undefined {
  const { code } = decodeAcknowledgement(message);
  return code === 0 ? undefined : errnoName(code);
}

/** struct sockaddr_nl of the kernel. */
function netlinkAddress(): Uint8Array {
  const address = new Uint8Array(12);
  new DataView(address.buffer).setUint16(0, AF_NETLINK, true);
  return address;
}

type Call = (...args: readonly unknown[]) => number;
interface Callable extends Call {
  /** Koffi's way to call on one of libuv's threads. */
  async(...args: readonly unknown[]): void;
}

/** Calls the C library on another thread. Answers its result, or the errno name of its failure. */
function beside(name: "sendto" | "recv", args: readonly unknown[]): Promise<number | string> {
  const call = libc()[name] as unknown as Callable;
  return new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, result: number) => {
      // errno is that of the call only here.
      if (error === null) resolve(result < 0 ? lastErrno() : result);
      else reject(error);
    });
  });
}
