import process from "node:process";
import koffi from "koffi";
import { KernelError } from "../ports/error.ts";
import { lastErrno, libc } from "./libc.ts";

export const EPOLLIN = 0x1;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;

/** What happens is told once, not for as long as it lasts. */
const EPOLLET = 0x8000_0000;

const EPOLL_CLOEXEC = 0o2000000;
const CTL_ADD = 1;
const CTL_DEL = 2;
const CTL_MOD = 3;

/** struct epoll_event is packed on x86 alone. */
const PACKED = process.arch === "x64" || process.arch === "ia32";
const EVENT_LENGTH = PACKED ? 12 : 16;
const DATA_AT = PACKED ? 4 : 8;

/** Events of one turn of the loop: a flood must not keep others waiting. */
const MOST_A_TURN = 64;

/**
 * Tells what happens on any number of descriptors: one epoll instance, which alone the event loop
 * polls, as a poll of the loop's own for each would cost more than a whole probe.
 */
export class DescriptorEvents {
  readonly #happened: (key: number, events: number) => void;
  readonly #fd: number;
  readonly #poll: { close(): void };
  readonly #events = new Uint8Array(EVENT_LENGTH * MOST_A_TURN);
  readonly #view = new DataView(this.#events.buffer);
  readonly #wanted = new Uint8Array(EVENT_LENGTH);
  readonly #wantedView = new DataView(this.#wanted.buffer);
  #scheduled: NodeJS.Immediate | undefined;
  #closed = false;

  /** Throws a KernelError without a descriptor. */
  constructor(happened: (key: number, events: number) => void) {
    this.#happened = happened;
    this.#fd = libc().epoll_create1(EPOLL_CLOEXEC);
    if (this.#fd < 0) {
      throw new KernelError(
        "epoll-refused",
        `no descriptor to wait on (${lastErrno()})`,
        "raise the limit of open files (LimitNOFILE= in the unit)",
      );
    }
    // An exception in koffi's callback would be lost: only take note here.
    this.#poll = koffi.node.poll(this.#fd, { readable: true }, () => {
      this.#scheduled ??= setImmediate(() => this.#turn());
    });
  }

  /** `key`, below 2³², comes with its events, each of which is told when it begins. */
  watch(fd: number, key: number, events: number): void {
    this.#control(CTL_ADD, fd, key, events);
  }

  /** What holds now is told again. */
  watchAgain(fd: number, key: number, events: number): void {
    this.#control(CTL_MOD, fd, key, events);
  }

  /** Not needed for a descriptor that is closed. */
  forget(fd: number): void {
    libc().epoll_ctl(this.#fd, CTL_DEL, fd, null);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#poll.close();
    libc().close(this.#fd);
  }

  #control(operation: number, fd: number, key: number, events: number): void {
    this.#wantedView.setUint32(0, (events | EPOLLET) >>> 0, true);
    this.#wantedView.setUint32(DATA_AT, key, true);
    if (libc().epoll_ctl(this.#fd, operation, fd, this.#wanted) === 0) return;
    throw new KernelError(
      "epoll-refused",
      `a descriptor cannot be waited on (${lastErrno()})`,
      "raise the limit fs.epoll.max_user_watches",
    );
  }

  #turn(): void {
    this.#scheduled = undefined;
    const count = libc().epoll_wait(this.#fd, this.#events, MOST_A_TURN, 0);
    for (let at = 0; at < count && !this.#closed; at += 1) {
      const start = at * EVENT_LENGTH;
      const key = this.#view.getUint32(start + DATA_AT, true);
      this.#happened(key, this.#view.getUint32(start, true));
    }
  }
}
