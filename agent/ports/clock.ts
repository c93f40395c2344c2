import type { Instant } from "../core/time.ts";

export interface Clock {
  /** CLOCK_MONOTONIC in microseconds; it does not count time that the machine was suspended. */
  now(): Instant;
  /** Wall-clock milliseconds since 1970, for records that people read; never for a decision. */
  wallClock(): number;
}

/** One timer for a whole process; the driver keeps the earliest of all deadlines in it. */
export interface Timer {
  /** Calls `due` once at `at`, or as soon as possible after it; `undefined` disarms. */
  set(at: Instant | undefined): void;
  close(): void;
}

/** `due` runs on the main thread, never earlier than the instant that was set. */
export type OpenTimer = (due: () => void) => Timer;
