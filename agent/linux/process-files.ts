import { readdirSync, readFileSync } from "node:fs";
import type { RunningProcess } from "../ports/watches.ts";

/** A process as /proc shows it. */
export interface SeenProcess extends RunningProcess {
  /** Clock ticks since boot when it was started: tells it from another one with its number. */
  readonly startedAt: number;
}

/** Where `state` and `starttime` are, counted behind the name. proc_pid_stat(5). */
const STATE = 0;
const START_TIME = 19;

/** Reads a process; `undefined`: it has ended, be it that its parent has not noticed yet. */
export function readProcess(pid: number): SeenProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const open = stat.indexOf("(");
    const close = stat.lastIndexOf(")");
    const fields = stat.slice(close + 2).split(" ");
    if (/[ZX]/.test(fields[STATE] ?? "X")) return undefined;
    return {
      pid,
      comm: stat.slice(open + 1, close),
      commandLine: commandLineOf(pid),
      startedAt: Number(fields[START_TIME]),
    };
  } catch {
    return undefined;
  }
}

/** The numbers of every process of this pid namespace. */
export function processNumbers(): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid));
}

/** Each argument ends in a zero; a process that overwrote them may have one text of them all. */
function commandLineOf(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/cmdline`, "utf8");
  return text === "" ? [] : text.replace(/\0+$/, "").split("\0");
}
