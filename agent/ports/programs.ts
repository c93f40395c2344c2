/** A program to be run once, without a shell. */
export interface ProgramRequest {
  /** Absolute path of the program, then its arguments. */
  readonly argv: readonly string[];
  /** `undefined`: as this process. */
  readonly runAs:
    | { readonly uid: number; readonly gid: number; readonly groups: readonly number[] }
    | undefined;
  /** SIGTERM to the whole process group after this, SIGKILL `killAfterMs` later. */
  readonly timeoutMs: number;
  /** Default 2,000, as in keepalived. */
  readonly killAfterMs?: number;
  /** Added to PATH and little else. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to its standard input; it is closed then. */
  readonly input?: string;
  /**
   * What becomes of processes of its group that it leaves behind when it ends by itself. `kill`, the
   * default: a check leaves nothing. `keep`: they go on, as what a keepalived script starts; it is run
   * with its output on /dev/null then, so `stdout` and `stderr` are empty.
   */
  readonly leftovers?: "kill" | "keep";
  /** Of each of stdout and stderr, what comes first; default 64 KiB. */
  readonly outputLimit?: number;
}

export type ProgramOutcome = {
  readonly ms: number;
  readonly stdout: string;
  readonly stderr: string;
} & (
  | { readonly kind: "exited"; readonly status: number }
  | { readonly kind: "signalled"; readonly signal: string }
  /** Told as soon as the time is over, not when the program is gone. */
  | { readonly kind: "timed-out" }
  | { readonly kind: "aborted" }
  | { readonly kind: "not-started"; readonly errno: string }
);

/**
 * Never rejects. Unless leftovers are kept, the whole process group is gone soon after the answer,
 * whatever it does; at the end of this process too, except by SIGKILL.
 */
export type RunProgram = (request: ProgramRequest, signal?: AbortSignal) => Promise<ProgramOutcome>;
