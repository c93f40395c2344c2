import type { Notice } from "../../core/notify/notice.ts";

/** A notice that waits. */
export interface Entry {
  readonly id: number;
  readonly notice: Notice;
}

/** A notice that was given up. */
export interface DeadLetter extends Entry {
  readonly reason: string;
  /** Wall-clock milliseconds. */
  readonly diedAt: number;
}
