/** Tells of a file's content: at once, and when it changes, appears or goes. No polling. */
export type WatchFile = (
  path: string,
  /** `undefined`: it is not there, or cannot be read. At most 64 KiB of it. */
  changed: (content: string | undefined) => void,
) => { close(): void };

/** A process, as the kernel names it. */
export interface RunningProcess {
  readonly pid: number;
  /** At most 15 bytes: TASK_COMM_LEN. */
  readonly comm: string;
  /** Program and arguments; empty for kernel threads. */
  readonly commandLine: readonly string[];
}

/** A process that becomes another program, or takes another name, is told of as started again. */
export type ProcessEvent =
  | { readonly kind: "started"; readonly process: RunningProcess }
  | { readonly kind: "ended"; readonly pid: number }
  /** Events were lost, or come from now on: `running()` was read anew. */
  | { readonly kind: "resynchronized" };

/** Every process of this host, told of as the kernel tells (proc connector), or found by looking. */
export interface ProcessTable {
  /** How it knows: `pidfd` sees ends at once, and starts by looking once a second. */
  readonly source: "connector" | "pidfd";
  running(): Iterable<RunningProcess>;
  subscribe(listener: (event: ProcessEvent) => void): () => void;
  close(): void;
}
