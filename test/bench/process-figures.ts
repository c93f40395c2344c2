import { readdirSync, readFileSync } from "node:fs";

/** The unit of the times in /proc, which Linux fixes for user space. */
const TICKS_PER_SECOND = 100;

/** A process and everything it started, itself first. */
export function processTree(pid: number): readonly number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).trim();
  const direct = children === "" ? [] : children.split(" ").map(Number);
  return [pid, ...direct.flatMap(processTree)];
}

/** Which of Holdfast's processes this is, by its title; `undefined` for any other. */
export const roleOf = (pid: number): string | undefined =>
  /^holdfast[_: ]+(\w+)|--role.(\w+)/
    .exec(read(`/proc/${pid}/cmdline`))
    ?.slice(1)
    .find(Boolean);

/** Seconds of processor time that the process has used, of all its threads. */
export function processorSeconds(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  // In nanoseconds, which a clock tick is too coarse for.
  const exact = tasks.map((task) =>
    Number(read(`/proc/${pid}/task/${task}/schedstat`).split(" ")[0]),
  );
  if (exact.every((value) => value > 0)) return exact.reduce((a, b) => a + b, 0) / 1e9;
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in MiB; `own`: without the pages that it shares with others, as far as they do. */
export function memoryMib(pid: number): { readonly resident: number; readonly own: number } {
  const kib = (text: string, key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? Number.NaN);
  return {
    resident: kib(read(`/proc/${pid}/status`), "VmRSS") / 1024,
    own: kib(read(`/proc/${pid}/smaps_rollup`), "Pss") / 1024,
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // The process is gone.
    return "";
  }
}
