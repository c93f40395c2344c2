import type { NetlinkMessage } from "../../wire/netlink/message.ts";
import {
  CONTROL,
  decodeAcknowledgement,
  decodeMessages,
  encodeMessage,
  FLAG,
  joinMessages,
  withFlags,
} from "../../wire/netlink/message.ts";
import { errnoName } from "../errno.ts";
import type { NetlinkProtocol, NetlinkSocket, ReceiveBufferSize } from "./netlink-socket.ts";
import { openNetlinkSocket } from "./netlink-socket.ts";

/** How the kernel answered one request; `errno` is `undefined` for a success. */
export interface Answer {
  readonly errno: string | undefined;
  /** The kernel's own words, where it has any. */
  readonly text: string | undefined;
}

export interface Dump extends Answer {
  readonly messages: readonly NetlinkMessage[];
}

/** Requests in one datagram: a few milliseconds of kernel time at most, so the loop stays lively. */
const BATCH = 64;
const ANSWER_TIMEOUT_MS = 2000;
/** A dump that saw changes is asked for again, this often at most. */
const DUMP_ATTEMPTS = 4;
const LAST_SEQUENCE = 0x7fff_ffff;
const RECEIVE_BUFFER = { bytes: 1 << 20, force: true };
const DONE: Answer = { errno: undefined, text: undefined };

/**
 * Which answers there are. `each` message has one. A `transaction` has one for all, whichever of its
 * messages it is for. With `refusals`, a message that the kernel carries out goes without, but for the
 * last, which ends the job.
 */
type Answered = "each" | "transaction" | "refusals";

interface Job {
  readonly messages: readonly Uint8Array[];
  readonly answers: (Answer | undefined)[];
  readonly parts: NetlinkMessage[];
  readonly finished: () => void;
  readonly answered: Answered;
  interrupted: boolean;
  remaining: number;
}

/**
 * Requests and dumps on one socket, answered in the order in which they were asked. One datagram is
 * under way at a time. Nothing rejects: a lost answer is ETIMEDOUT.
 */
export class Channel {
  readonly #socket: NetlinkSocket;
  readonly #queue: Job[] = [];
  #running: Job | undefined;
  #first = 1;
  #next = 1;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(protocol: NetlinkProtocol = "route", buffer: ReceiveBufferSize = RECEIVE_BUFFER) {
    const receive = (bytes: Uint8Array): void => this.#receive(bytes);
    this.#socket = openNetlinkSocket(buffer, receive, protocol);
  }

  /** One answer per message, in order; each message must carry the flags REQUEST and ACK. */
  async request(messages: readonly Uint8Array[]): Promise<readonly Answer[]> {
    const batches: Promise<Job>[] = [];
    for (let at = 0; at < messages.length; at += BATCH) {
      batches.push(this.#enqueue(messages.slice(at, at + BATCH)));
    }
    const jobs = await Promise.all(batches);
    return jobs.flatMap(({ answers }) => answers.map((answer) => answer ?? DONE));
  }

  /**
   * The same for messages with the flag REQUEST alone, at half the price: the kernel answers only what
   * it refuses. Answers by index; what is not among them was carried out.
   */
  async carryOut(messages: readonly Uint8Array[]): Promise<ReadonlyMap<number, Answer>> {
    const batches: Promise<Job>[] = [];
    for (let at = 0; at < messages.length; at += BATCH) {
      const batch = messages.slice(at, at + BATCH);
      const last = batch.pop();
      if (last !== undefined) batch.push(withFlags(last, FLAG.ack));
      batches.push(this.#enqueue(batch, "refusals"));
    }
    const refusals = new Map<number, Answer>();
    for (const [batch, { answers }] of (await Promise.all(batches)).entries()) {
      for (const [at, answer] of answers.entries()) {
        if (answer?.errno !== undefined) refusals.set(batch * BATCH + at, answer);
      }
    }
    return refusals;
  }

  /** The messages of one transaction, in one datagram; only the last asks for its answer. */
  async transact(messages: readonly Uint8Array[]): Promise<Answer> {
    const { answers } = await this.#enqueue(messages, "transaction");
    return answers[0] ?? DONE;
  }

  /** A question with one reply. */
  async ask(type: number, body: Uint8Array): Promise<Dump> {
    const job = await this.#enqueue([encodeMessage(type, FLAG.request | FLAG.ack, body)]);
    return { ...(job.answers[0] ?? DONE), messages: job.parts };
  }

  async dump(type: number, body: Uint8Array): Promise<Dump> {
    const message = encodeMessage(type, FLAG.request | FLAG.dump, body);
    for (let attempt = 1; ; attempt += 1) {
      const job = await this.#enqueue([message]);
      const answer = job.answers[0] ?? DONE;
      if (!job.interrupted || attempt === DUMP_ATTEMPTS) return { ...answer, messages: job.parts };
    }
  }

  /** What waits is answered with ECANCELED. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    clearTimeout(this.#timer);
    const waiting = [...(this.#running === undefined ? [] : [this.#running]), ...this.#queue];
    this.#queue.length = 0;
    this.#running = undefined;
    for (const job of waiting) settle(job, "ECANCELED");
  }

  #enqueue(messages: readonly Uint8Array[], answered: Answered = "each"): Promise<Job> {
    return new Promise((resolve) => {
      const job: Job = {
        messages,
        answers: answered === "transaction" ? [undefined] : messages.map(() => undefined),
        parts: [],
        finished: () => resolve(job),
        answered,
        interrupted: false,
        remaining: answered === "each" ? messages.length : 1,
      };
      if (this.#closed) settle(job, "ECANCELED");
      else this.#queue.push(job);
      this.#startNext();
    });
  }

  #startNext(): void {
    if (this.#running !== undefined) return;
    const job = this.#queue.shift();
    if (job === undefined) return;
    if (this.#next + job.messages.length > LAST_SEQUENCE) this.#next = 1;
    this.#running = job;
    this.#first = this.#next;
    this.#next += job.messages.length;
    this.#socket.send(joinMessages(job.messages, this.#first, this.#socket.port), (errno) =>
      this.#give(job, errno),
    );
    this.#await(job);
  }

  #await(job: Job): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const { remaining } = job;
      const parts = job.parts.length;
      // After a stall the timer runs before the socket is read: look once more behind the reading.
      setImmediate(() => {
        if (this.#running !== job) return;
        if (job.remaining === remaining && job.parts.length === parts) this.#give(job, "ETIMEDOUT");
        else this.#await(job);
      });
    }, ANSWER_TIMEOUT_MS);
  }

  #give(job: Job, errno: string): void {
    if (this.#running !== job) return;
    settle(job, errno);
    this.#finish();
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#running = undefined;
    this.#startNext();
  }

  #receive(bytes: Uint8Array): void {
    for (const message of decodeMessages(bytes)) {
      const job = this.#running;
      const index = message.sequence - this.#first;
      // What is not in the running batch came too late.
      if (job === undefined || index < 0 || index >= job.messages.length) continue;
      if ((message.flags & FLAG.dumpInterrupted) !== 0) job.interrupted = true;
      if (message.type === CONTROL.error) answer(job, index, acknowledged(message));
      else if (message.type === CONTROL.done) answer(job, index, dumped(message));
      else job.parts.push(message);
      if (job.remaining === 0) {
        job.finished();
        this.#finish();
      }
    }
  }
}

function answer(job: Job, index: number, given: Answer): void {
  const at = job.answered === "transaction" ? 0 : index;
  if (job.answers[at] !== undefined) return;
  job.answers[at] = given;
  if (job.answered !== "refusals" || at === job.answers.length - 1) job.remaining -= 1;
}

function settle(job: Job, errno: string): void {
  for (const index of job.answers.keys()) answer(job, index, { errno, text: undefined });
  job.finished();
}

function acknowledged(message: NetlinkMessage): Answer {
  const { code, text } = decodeAcknowledgement(message);
  return { errno: code === 0 ? undefined : errnoName(code), text };
}

/** The end of a dump carries its result, zero or a negative errno. */
function dumped({ body }: NetlinkMessage): Answer {
  if (body.length < 4) return DONE;
  const [code = 0] = new Int32Array(body.slice(0, 4).buffer);
  return code < 0 ? { errno: errnoName(-code), text: undefined } : DONE;
}
