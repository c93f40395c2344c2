import { readFileSync, writeFileSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";
import { libc } from "./libc.ts";

const SCHED_RESET_ON_FORK = 0x4000_0000;
const RLIMIT_CORE = 4;
const RLIMIT_NOFILE = 7;
const SYS_CLOSE_RANGE = 436;
const FIRST_OWN_DESCRIPTOR = 3;
const LAST_DESCRIPTOR = -1;
const CLOSE_RANGE_CLOEXEC = 4;
/** What shells and service managers give; Node has raised its own to the hard limit. */
const USUAL_OPEN_FILES = 1_024n;

/**
 * Starts a program with `start`, which must be synchronous, and has it run as from a shell, however
 * the agent runs: normal scheduling, usual limits, none of our descriptors. What the kernel does not
 * let us set stays inherited. Scheduling, killing score above 0 and descriptors are right from the
 * first instruction; the limits come some microseconds after it. Main thread only.
 */
export function underUsualConditions<Started extends { readonly pid?: number | undefined }>(
  start: () => Started,
): Started {
  closeDescriptorsOnExec();
  resetSchedulingOnFork();
  const nice = lowerTo(0, getPriority(), (value) => setPriority(value));
  const ownScore = outOfMemoryScore();
  const score = lowerTo(0, ownScore, (value) => scoreOutOfMemory("self", value));
  try {
    const started = start();
    const { pid } = started;
    if (pid !== undefined) {
      setLimits(pid);
      // One that should hardly ever be killed for memory is the agent, not what it starts.
      if (ownScore < 0) attempt(() => scoreOutOfMemory(String(pid), 0));
    }
    return started;
  } finally {
    score.restore();
    nice.restore();
  }
}

/** libuv opens its descriptors so; addons may not. */
function closeDescriptorsOnExec(): void {
  // Kernels before 5.11 answer an error: then it is as each library left it.
  libc().syscall(SYS_CLOSE_RANGE, FIRST_OWN_DESCRIPTOR, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC);
}

/** Children get neither a real-time priority nor a negative nice value. */
function resetSchedulingOnFork(): void {
  const policy = libc().sched_getscheduler(0);
  if (policy < 0 || (policy & SCHED_RESET_ON_FORK) !== 0) return;
  if (policy === 0 && getPriority() >= constants.priority.PRIORITY_NORMAL) return;
  const parameters = new Uint8Array(4);
  libc().sched_getparam(0, parameters);
  libc().sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, parameters);
}

/** Only down and back up: to come back from above may be forbidden. */
function lowerTo(
  wanted: number,
  before: number,
  set: (value: number) => void,
): { restore(): void } {
  const nothing = { restore: () => undefined };
  if (before <= wanted || !attempt(() => set(wanted))) return nothing;
  return { restore: () => void attempt(() => set(before)) };
}

function setLimits(pid: number): void {
  const limits = new BigUint64Array(2);
  const bytes = new Uint8Array(limits.buffer);
  for (const [resource, usual] of [
    [RLIMIT_NOFILE, USUAL_OPEN_FILES],
    [RLIMIT_CORE, 0n],
  ] as const) {
    if (libc().prlimit(pid, resource, null, bytes) !== 0) return;
    if ((limits[0] ?? 0n) <= usual) continue;
    limits[0] = usual;
    libc().prlimit(pid, resource, bytes, null);
  }
}

function outOfMemoryScore(): number {
  try {
    return Number(readFileSync("/proc/self/oom_score_adj", "latin1"));
  } catch {
    return 0;
  }
}

function scoreOutOfMemory(pid: string, score: number): void {
  writeFileSync(`/proc/${pid}/oom_score_adj`, String(score));
}

function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
