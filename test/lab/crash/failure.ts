import type { ProgramName } from "../../bench/program.ts";
import type { Cast, Scene, Timing } from "./scene.ts";

/** What is promised of a failure. Milliseconds. */
export interface Expected {
  /** Who answers in the end. */
  readonly owner: "failing" | "other" | "nobody";
  /**
   * Whether two may answer: only where nothing on the two nodes can know better, or where one of them
   * asks nobody before it takes over, and the lease of the other one is longer than that takes.
   */
  readonly both: "never" | "until healed" | "until the lease ends";
  /** How often who answers may change; once where it is left out. */
  readonly changes?: number;
  /** The longest time without an answer, beyond what the machine does to everybody. */
  readonly outage: (timing: Timing) => number;
  /** The same for connections, where whatever runs behind the address fails too. */
  readonly tcpOutage?: (timing: Timing) => number;
  /** How long the failing node has the address after it. Left out where it keeps it. */
  readonly stale?: (timing: Timing) => number;
}

/** One line of the table: how the node that has the address fails, and what is promised. */
export interface Failure extends Pick<Cast, "priorities" | "instance" | "witness"> {
  readonly name: string;
  /** What comes before it; without that it comes some time after an advertisement. */
  readonly prepare?: (scene: Scene) => Promise<void>;
  readonly inflict: (scene: Scene) => void | Promise<void>;
  /** What ends it; done as soon as the other one answers and, if that is promised, the address is gone. */
  readonly heal?: {
    readonly act: (scene: Scene) => void | Promise<void>;
    /** Before the address is gone. */
    readonly early?: boolean;
    /** Who has the other node's part when the rightful owner announces itself again after it. */
    readonly announcedBeside?: readonly ProgramName[];
  };
  readonly expected: Expected;
  /** What may run on the other node; anything where it is left out. */
  readonly beside?: readonly ProgramName[];
  /**
   * Where the test command has it: everywhere, as it is not the same before each of them; or at this interval
   * alone, as it waits for a lease more than for advertisements. Left out: at each interval, before one of
   * them.
   */
  readonly tested?: "everywhere" | 1 | 0.1;
}

/** A hand-over that somebody has done for the dead. */
export const AT_ONCE_MS = 100;
/** What nobody waits for: behind the gate the address is silent already. */
export const SOON_MS = 500;
/** Timeouts of the kernel are rounded down to ticks, and processors are taken away. */
export const EARLY_MS = 250;

/**
 * Who hears two answer every question believes the same one for so long, but for announcements: locktime of
 * Linux' neighbours.
 */
export const BELIEVED_MS = 1_000;

export const keptUp = (outage: number): Expected => ({
  owner: "failing",
  both: "never",
  outage: () => outage,
});

/** For how long two may answer. */
export function bothAtMost({ both }: Expected, { ttl, down, interval }: Timing): number {
  if (both === "never") return 0;
  if (both === "until healed") return Number.POSITIVE_INFINITY;
  // The lease may just have been renewed, and the last advertisement be an interval old.
  return Math.max(0, ttl - (down - interval));
}
