import { readFileSync } from "node:fs";
import { lastErrno, libc } from "./libc.ts";

/** Pages are locked as they come into use, not read in for nothing. */
const MLOCK_ONFAULT = 1;

/**
 * Keeps the program's own code in memory: under pressure the kernel throws it out as readily as the
 * page cache, and a deadline then waits for the disk. Answers the errno name when it refuses.
 *
 * Not mlockall: V8 gives memory back with madvise(MADV_DONTNEED), which fails on locked pages, and
 * takes that for a reason to abort the process.
 */
export function lockCode(): string | undefined {
  for (const { start, end } of fileMappings()) {
    if (libc().mlock2(start, end - start, MLOCK_ONFAULT) !== 0) return lastErrno();
  }
  return undefined;
}

/** Whether anonymous memory, the heap, may be swapped out: there is swap, and the cgroup may use it. */
export function heapMayBeSwapped(): boolean {
  const swaps = contents("/proc/swaps").trim().split("\n").length - 1;
  if (swaps < 1) return false;
  const group = /^0::(.*)$/m.exec(contents("/proc/self/cgroup"))?.[1] ?? "";
  return contents(`/sys/fs/cgroup${group}/memory.swap.max`).trim() !== "0";
}

/** What the program and its libraries have mapped from files. */
function fileMappings(): readonly { start: bigint; end: bigint }[] {
  const mapping = /^([0-9a-f]+)-([0-9a-f]+) r.{3} \S+ \S+ [1-9][0-9]* +\/(?!dev\/)/gm;
  return [...contents("/proc/self/maps").matchAll(mapping)].map(([, start = "0", end = "0"]) => ({
    start: BigInt(`0x${start}`),
    end: BigInt(`0x${end}`),
  }));
}

function contents(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
