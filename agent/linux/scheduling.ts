import { readdirSync, writeFileSync } from "node:fs";
import type { SchedulingConfig } from "../config/config.ts";
import { lastErrno, libc } from "./libc.ts";
import { heapMayBeSwapped, lockCode } from "./memory-lock.ts";

/** What the kernel refused; the process runs on without it. */
export interface SchedulingFailure {
  /** What was asked for, for example `real-time priority 50`. */
  readonly setting: string;
  readonly errno: string;
  readonly remedy: string;
}

const SCHED_OTHER = 0;
const SCHED_RR = 2;
/** Programs that this process starts, and threads, do not inherit the real-time priority. */
const RESET_ON_FORK = 0x4000_0000;
const PRIO_PROCESS = 0;
const RLIMIT_RTTIME = 15;

const NICE_REMEDY = "run as root, or give CAP_SYS_NICE (AmbientCapabilities= in the unit)";
const REALTIME_REMEDY =
  "run as root, or give CAP_SYS_NICE or LimitRTPRIO= in the unit; in a container also allow real-time scheduling for its cgroup";

const SYSTEM_DEFAULTS: SchedulingConfig = {
  nice: undefined,
  realtimePriority: undefined,
  realtimeLimit: undefined,
  cpuAffinity: undefined,
  noSwap: false,
};
const NO_LIMIT = 0xffff_ffff_ffff_ffffn;

/** As `applyScheduling`, after `before`: what is not asked for any more is as the system has it. */
export function changeScheduling(
  before: SchedulingConfig,
  config: SchedulingConfig,
): readonly SchedulingFailure[] {
  const dropped = (key: keyof SchedulingConfig): boolean =>
    before[key] !== undefined && config[key] === undefined;
  // First: at a real-time priority the limit may not be lifted into the blue.
  if (dropped("realtimePriority")) leaveRealtime();
  if (dropped("realtimeLimit")) setRealtimeLimit(NO_LIMIT);
  return applyScheduling({
    ...config,
    nice: dropped("nice") ? 0 : config.nice,
    cpuAffinity: dropped("cpuAffinity") ? everyCpu() : config.cpuAffinity,
  });
}

/** A process that changes its scheduling with each configuration. */
export function scheduler(): (config: SchedulingConfig) => readonly SchedulingFailure[] {
  let before = SYSTEM_DEFAULTS;
  return (config) => {
    const failures = changeScheduling(before, config);
    before = config;
    return failures;
  };
}

/** One line for people. */
export const failureText = ({ setting, errno, remedy }: SchedulingFailure): string =>
  `the kernel refused ${setting} (${errno}); ${remedy}`;

/** The kernel leaves out those that there are not. */
const everyCpu = (): readonly number[] => Array.from({ length: 1_024 }, (_, cpu) => cpu);

/**
 * Schedules this process as configured. What is refused is answered, never thrown. It applies to
 * every thread there is, as V8's threads take part in garbage collections that the main thread waits
 * for: call it again when more have been started.
 */
export function applyScheduling(config: SchedulingConfig): readonly SchedulingFailure[] {
  const { nice, realtimePriority, realtimeLimit, cpuAffinity, noSwap } = config;
  const threads = threadsOfThisProcess();
  const failures: SchedulingFailure[] = [];
  const apply = (setting: string, remedy: string, calls: readonly (() => number)[]): void => {
    for (const call of calls) {
      if (call() === 0) continue;
      const errno = lastErrno();
      // A thread may have ended meanwhile.
      if (errno === "ESRCH") continue;
      failures.push({ setting, errno, remedy });
      return;
    }
  };
  const each = (call: (thread: number) => number) => threads.map((thread) => () => call(thread));

  if (nice !== undefined) {
    const set = (thread: number) => libc().setpriority(PRIO_PROCESS, thread, nice);
    apply(`nice value ${nice}`, NICE_REMEDY, each(set));
  }
  // The limit first: it is the brake, should the loop run away at real-time priority.
  if (realtimeLimit !== undefined) {
    const set = () => setRealtimeLimit(BigInt(realtimeLimit));
    apply(`real-time limit of ${realtimeLimit} µs`, NICE_REMEDY, [set]);
  }
  if (realtimePriority !== undefined) {
    const set = (thread: number) => setPolicy(thread, SCHED_RR | RESET_ON_FORK, realtimePriority);
    apply(`real-time priority ${realtimePriority}`, REALTIME_REMEDY, each(set));
  }
  if (cpuAffinity !== undefined) {
    const mask = cpuMask(cpuAffinity);
    const set = (thread: number) => libc().sched_setaffinity(thread, mask.length, mask);
    apply(
      `CPUs ${cpuAffinity.join(" ")}`,
      "name CPUs that `nproc` and the cpuset allow",
      each(set),
    );
  }
  return noSwap ? [...failures, ...keepInMemory()] : failures;
}

function keepInMemory(): readonly SchedulingFailure[] {
  const failures: SchedulingFailure[] = [];
  const errno = lockCode();
  if (errno !== undefined) {
    const remedy = "run as root, or give CAP_IPC_LOCK or LimitMEMLOCK=infinity in the unit";
    failures.push({ setting: "code that stays in memory", errno, remedy });
  }
  if (heapMayBeSwapped()) {
    const remedy = "set MemorySwapMax=0 in the unit";
    failures.push({ setting: "memory that is never swapped out", errno: "ENOTSUP", remedy });
  }
  return failures;
}

/** Takes a real-time priority back, before a long piece of work such as a reload. */
export function leaveRealtime(): void {
  for (const thread of threadsOfThisProcess()) setPolicy(thread, SCHED_OTHER, 0);
}

/**
 * How ready the kernel is to kill this process when memory runs out: −1000 (never) to 1000. Answers
 * whether it was taken; less than before needs CAP_SYS_RESOURCE.
 */
export function setOutOfMemoryScore(score: number): boolean {
  try {
    writeFileSync("/proc/self/oom_score_adj", String(score));
    return true;
  } catch {
    return false;
  }
}

function threadsOfThisProcess(): readonly number[] {
  return readdirSync("/proc/self/task").map(Number);
}

function setPolicy(thread: number, policy: number, priority: number): number {
  return libc().sched_setscheduler(thread, policy, new Uint8Array(Int32Array.of(priority).buffer));
}

/**
 * The soft limit, at which the kernel sends SIGXCPU, which ends the process. The hard one stays where
 * that is allowed, as it could not be raised again.
 */
function setRealtimeLimit(soft: bigint): number {
  if (libc().setrlimit(RLIMIT_RTTIME, limits(soft, NO_LIMIT)) === 0) return 0;
  return libc().setrlimit(RLIMIT_RTTIME, limits(soft, soft));
}

/** struct rlimit. */
const limits = (soft: bigint, hard: bigint): Uint8Array =>
  new Uint8Array(BigUint64Array.of(soft, hard).buffer);

function cpuMask(cpus: readonly number[]): Uint8Array {
  // The kernel wants whole words.
  const mask = new Uint8Array(Math.ceil((Math.max(0, ...cpus) + 1) / 64) * 8);
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return mask;
}
