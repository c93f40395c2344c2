import { KernelError } from "../../ports/error.ts";
import { CONTROL, decodeAcknowledgement, decodeMessages } from "../../wire/netlink/message.ts";
import type { Command } from "../../wire/netlink/nftables.ts";
import { BATCH_FRAME, encodeBatch } from "../../wire/netlink/nftables.ts";
import { errnoName } from "../errno.ts";
import { lastErrno, libc, sendApart } from "../libc.ts";
import {
  MSG_DONTWAIT,
  SO_RCVBUFFORCE,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  trySetOption,
} from "../socket-option.ts";
import { PROTOCOL } from "./netlink-socket.ts";

const AF_NETLINK = 16;
/** A whole transaction is one datagram: some 50,000 elements fit. */
const BUFFER_BYTES = 4 << 20;
const ANSWER_BYTES = 1 << 16;
/** Leases of some hundred addresses; what is longer has bytes of its own. */
const USUAL_BYTES = 1 << 15;
const LAST_SEQUENCE = 0x7fff_ffff;
/** What a send without an errno is called. */
const UNKNOWN = "EIO";

/**
 * Transactions of nftables, one at a time and in order. The kernel carries one out while it is sent,
 * and before that it waits for whoever else is at it, for seconds where that is a large ruleset: so
 * they are sent by another thread. Belongs to the namespace in which it was made.
 */
export class Transactions {
  readonly #fd: number;
  readonly #answers = new Uint8Array(ANSWER_BYTES);
  readonly #datagram = new Uint8Array(USUAL_BYTES);
  #last: Promise<unknown> = Promise.resolve();
  #sequence = 1;
  #closed = false;

  /** Throws a KernelError where the kernel has no netfilter. */
  constructor() {
    this.#fd = openSocket();
  }

  /**
   * `commands` is called when it is this transaction's turn, just before it is sent. Answers the errno
   * name of the first refusal; nothing has happened then. Never rejects.
   */
  run(commands: () => readonly Command[]): Promise<string | undefined> {
    const answer = this.#last.then(() => this.#send(commands()));
    this.#last = answer;
    return answer;
  }

  /** What is under way ends first; what waits is ECANCELED. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#last.then(() => libc().close(this.#fd));
  }

  #send(commands: readonly Command[]): Promise<string | undefined> {
    if (commands.length === 0) return Promise.resolve(undefined);
    // The descriptor may be somebody else's by now.
    if (this.#closed) return Promise.resolve("ECANCELED");
    const count = commands.length + BATCH_FRAME;
    if (this.#sequence + count > LAST_SEQUENCE) this.#sequence = 1;
    const first = this.#sequence;
    this.#sequence += count;
    const datagram = encodeBatch(commands, first, this.#datagram);
    return new Promise((resolve) => {
      sendApart(this.#fd, datagram, (sent) => {
        // The datagram is the thread's until here: none is written before.
        resolve(sent === datagram.length ? this.#answer(first, count) : UNKNOWN);
      });
    });
  }

  /** All answers wait by now: refusals, and at the end the last command's success. */
  #answer(first: number, count: number): string | undefined {
    let refusal: string | undefined;
    for (;;) {
      const length = libc().recv(this.#fd, this.#answers, ANSWER_BYTES, MSG_DONTWAIT);
      if (length < 0) break;
      for (const message of decodeMessages(this.#answers.subarray(0, length))) {
        const mine = message.sequence >= first && message.sequence < first + count;
        if (message.type !== CONTROL.error || !mine) continue;
        const { code } = decodeAcknowledgement(message);
        if (code === 0) return refusal;
        refusal ??= errnoName(code);
      }
    }
    return refusal ?? "ENOBUFS";
  }
}

function openSocket(): number {
  const fd = libc().socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, PROTOCOL.netfilter);
  if (fd < 0) {
    throw new KernelError(
      "netlink-refused",
      `cannot open a netlink socket for nftables (${lastErrno()})`,
      "load nfnetlink (modprobe nf_tables), and allow AF_NETLINK (RestrictAddressFamilies= of the unit)",
    );
  }
  // Where they are refused, so is all that they are for.
  for (const option of [SO_SNDBUFFORCE, SO_RCVBUFFORCE]) trySetOption(fd, option, BUFFER_BYTES);
  return fd;
}
