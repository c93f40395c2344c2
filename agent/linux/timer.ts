import koffi from "koffi";
import type { Instant } from "../core/time.ts";
import type { OpenTimer, Timer } from "../ports/clock.ts";
import { KernelError } from "../ports/error.ts";
import { systemClock } from "./clock.ts";
import { lastErrno, libc } from "./libc.ts";

const CLOCK_MONOTONIC = 1;
const NONBLOCK_CLOEXEC = 0o2004000;
const ABSOLUTE = 1;

/**
 * A timerfd in the event loop. setTimeout counts whole milliseconds of a cached clock and is up to
 * two late; this wakes the loop at the very microsecond and never blocks it.
 *
 * `due` runs in the loop's check phase, after the sockets' events of the same turn, once a turn: so
 * however many deadlines a second there are, packets are read between any two of them.
 */
export const openTimer: OpenTimer = (due) => new TimerDescriptor(due);

class TimerDescriptor implements Timer {
  readonly #due: () => void;
  readonly #fd: number;
  readonly #poll: { close(): void };
  /** struct itimerspec: interval (unused), then value, each seconds and nanoseconds. */
  readonly #setting = new BigInt64Array(4);
  readonly #settingBytes = new Uint8Array(this.#setting.buffer);
  #at: Instant | undefined;
  #fired: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(due: () => void) {
    this.#due = due;
    this.#fd = libc().timerfd_create(CLOCK_MONOTONIC, NONBLOCK_CLOEXEC);
    if (this.#fd < 0) throw timerRefused(lastErrno());
    // An exception in koffi's callback would be lost and promises would wait: only take note here.
    this.#poll = koffi.node.poll(this.#fd, { readable: true }, () => {
      this.#fired ??= setImmediate(() => this.#act());
    });
  }

  set(at: Instant | undefined): void {
    if (this.#closed || at === this.#at) return;
    this.#at = at;
    this.#arm();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#fired !== undefined) clearImmediate(this.#fired);
    this.#poll.close();
    libc().close(this.#fd);
  }

  /** Setting the time also takes back an expiry that was not read. All zero disarms. */
  #arm(): void {
    const at = this.#at === undefined ? 0 : Math.max(1, this.#at);
    const seconds = Math.floor(at / 1_000_000);
    this.#setting[2] = BigInt(seconds);
    this.#setting[3] = BigInt((at - seconds * 1_000_000) * 1_000);
    if (libc().timerfd_settime(this.#fd, ABSOLUTE, this.#settingBytes, null) !== 0) {
      throw timerRefused(lastErrno());
    }
  }

  #act(): void {
    this.#fired = undefined;
    const at = this.#at;
    // It was set anew after the expiry: that setting will wake the loop by itself.
    if (at === undefined || systemClock.now() < at) return;
    this.#at = undefined;
    this.#due();
    if (this.#at === undefined && !this.#closed) this.#arm();
  }
}

function timerRefused(errno: string): KernelError {
  return new KernelError(
    "timer-refused",
    `the kernel refused a timer (${errno})`,
    errno === "EMFILE" || errno === "ENFILE"
      ? "raise the limit of open files (LimitNOFILE= in the unit, or ulimit -n)"
      : "Linux 2.6.25 or newer with timerfd is needed; a seccomp filter may forbid it",
  );
}
