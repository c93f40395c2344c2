import type { Capability } from "./capabilities.ts";
import { keepCapabilities } from "./capabilities.ts";
import { lastErrno, libc } from "./libc.ts";
import { refuseSystemCalls } from "./seccomp.ts";

const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;

/**
 * For a process that runs no program: it keeps these capabilities and never gets another one, executes
 * nothing, and leaves no image of its memory, which has secrets. For good; files that it opens later it
 * opens as anybody. Answers in words what the kernel refused: then it goes on with more than it needs.
 */
export function confine(kept: readonly Capability[]): readonly string[] {
  const steps: readonly (readonly [string, () => string | undefined])[] = [
    ["no_new_privs", () => set(PR_SET_NO_NEW_PRIVS, 1n)],
    ["to give up capabilities", () => keepCapabilities(kept)],
    ["to have no core dump", () => set(PR_SET_DUMPABLE, 0n)],
    ["a filter of system calls", refuseSystemCalls],
  ];
  return steps.flatMap(([what, take]) => {
    const problem = take();
    return problem === undefined ? [] : [`the kernel refuses this process ${what}: ${problem}`];
  });
}

const set = (option: number, value: bigint): string | undefined =>
  libc().prctl(option, value, 0n, 0n, 0n) === 0 ? undefined : lastErrno();
