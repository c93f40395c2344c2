import type { Instant, Micros } from "../core/time.ts";
import { after, instant, micros, milliseconds, since } from "../core/time.ts";
import { systemClock } from "./clock.ts";
import { lastErrno, libc } from "./libc.ts";

const CLOCK_BOOTTIME = 7;
const NOISE = milliseconds(10);

/**
 * The host's clock, which all of its processes share, with the time added that the machine was suspended
 * since this was made: CLOCK_MONOTONIC stands still then, and whoever waits for us does not. A virtual
 * machine that its host paused may see neither.
 */
export function openSleeplessClock(suspended: () => Micros = suspendedTime) {
  const before = suspended();
  let missed = micros(0);
  const look = (): Micros => {
    const found = micros(suspended() - before);
    // It does not go back, and does not tremble.
    if (found - missed > NOISE) missed = found;
    return missed;
  };
  return {
    now: (): Instant => after(systemClock.now(), look()),
    wallClock: systemClock.wallClock,
    onHost: (at: Instant): Instant => after(at, micros(-look())),
  };
}

/** Since boot; never too much, however long it takes to look. */
export function suspendedTime(): Micros {
  const boot = boottime();
  return since(systemClock.now(), boot);
}

const time = new BigInt64Array(2);
const timeBytes = new Uint8Array(time.buffer);

function boottime(): Instant {
  if (libc().clock_gettime(CLOCK_BOOTTIME, timeBytes) !== 0) {
    throw new TypeError(`clock_gettime(CLOCK_BOOTTIME): ${lastErrno()}`);
  }
  const [seconds = 0n, nanoseconds = 0n] = time;
  return instant(Number(seconds) * 1_000_000 + Number(nanoseconds) / 1_000);
}
