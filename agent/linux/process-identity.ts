import { lastErrno, libc } from "./libc.ts";

const PR_SET_PDEATHSIG = 1;
const PR_SET_NAME = 15;
const SIGNALS = { SIGTERM: 15, SIGKILL: 9 } as const;

/**
 * Has the kernel signal this process when the main thread of its parent ends. `parent` is the pid
 * that should be the parent: `false` if it is gone already, so no signal will come.
 */
export function dieWithParent(signal: keyof typeof SIGNALS, parent: number): boolean {
  if (libc().prctl(PR_SET_PDEATHSIG, BigInt(SIGNALS[signal]), 0n, 0n, 0n) !== 0) {
    throw new TypeError(`prctl(PR_SET_PDEATHSIG): ${lastErrno()}`);
  }
  return process.ppid === parent;
}

/** SIGRTMIN + 2, SIGRTMAX − 1 and SIGRTMAX, as `--signum` gives them to scripts. */
const REALTIME_SIGNALS = [36, 63, 64];
const SIG_IGN = 1n;

/**
 * keepalived's signals for JSON, clearing statistics and thread lists end a process that does not
 * know them, and Node cannot catch them. Children inherit that they are ignored.
 */
export function ignoreRealtimeSignals(): void {
  for (const signal of REALTIME_SIGNALS) libc().signal(signal, SIG_IGN);
}

/** The name that ps, top and /proc/<pid>/comm show; comm holds the first 15 bytes. */
export function nameProcess(name: string): void {
  process.title = name;
  // Setting the title names the main thread only in some versions of libuv.
  libc().prctlText(PR_SET_NAME, name, 0n, 0n, 0n);
}
