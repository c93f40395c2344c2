import koffi from "koffi";
import type { Micros } from "../core/time.ts";
import { micros, milliseconds } from "../core/time.ts";
import { libc } from "./libc.ts";
import { suspendedTime } from "./sleepless-clock.ts";

const CLOCK_REALTIME = 0;
const NONBLOCK_CLOEXEC = 0o2004000;
const ABSOLUTE = 1;
/** It is told of when the wall clock is set, and the kernel sets that whenever the machine resumes. */
const CANCEL_ON_SET = 2;
/** Seconds since 1970: never. */
const NEVER = 1n << 40n;
/** Looks tremble by less than this. */
const NOISE = milliseconds(10);

/**
 * Calls `heard` at once when the machine was suspended and runs again, with how long it was. Neither the
 * kernel's timeouts nor CLOCK_MONOTONIC go on meanwhile. Answers how to stop it. A kernel that has no
 * timerfd left tells nothing.
 */
export function watchSuspension(
  heard: (missed: Micros) => void,
  suspended: () => Micros = suspendedTime,
): () => void {
  let known = suspended();
  const look = (): void => {
    const missed = micros(suspended() - known);
    if (missed <= NOISE) return;
    known = micros(known + missed);
    heard(missed);
  };
  return whenClockIsSet(look);
}

/** Also when the wall clock was set by somebody: whoever looks then finds nothing. */
function whenClockIsSet(look: () => void): () => void {
  const fd = libc().timerfd_create(CLOCK_REALTIME, NONBLOCK_CLOEXEC);
  if (fd < 0) return () => undefined;
  const setting = new Uint8Array(new BigInt64Array([0n, 0n, NEVER, 0n]).buffer);
  const arm = (): void => {
    // It answers that the clock was set since, the first time.
    for (let tries = 0; tries < 2; tries += 1) {
      if (libc().timerfd_settime(fd, ABSOLUTE | CANCEL_ON_SET, setting, null) === 0) return;
    }
  };
  let scheduled: NodeJS.Immediate | undefined;
  arm();
  const poll = koffi.node.poll(fd, { readable: true }, () => {
    // An exception in koffi's callback would be lost: only take note here.
    scheduled ??= setImmediate(() => {
      scheduled = undefined;
      arm();
      look();
    });
  });
  return () => {
    if (scheduled !== undefined) clearImmediate(scheduled);
    poll.close();
    libc().close(fd);
  };
}
