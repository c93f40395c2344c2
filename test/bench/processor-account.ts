import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Counts the processor time of a family of processes, those that ended included, to the microsecond: a
 * control group of its own. It is version 2, which counts that also where other versions do the rest.
 */
export class ProcessorAccount {
  readonly #folder: string;

  constructor(name: string) {
    this.#folder = join(mountPoint(), `hf-${process.pid}-${name}`);
    mkdirSync(this.#folder);
  }

  /** From now on it counts here, with all that it starts from now on. Those that are gone do not. */
  add(pids: readonly number[]): void {
    for (const pid of pids) {
      try {
        writeFileSync(join(this.#folder, "cgroup.procs"), String(pid));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    }
  }

  /** So far. */
  seconds(): number {
    const text = readFileSync(join(this.#folder, "cpu.stat"), "utf8");
    return Number(/^usage_usec (\d+)$/m.exec(text)?.[1]) / 1e6;
  }

  /** After the end of the last process; one that lasts is no reason to fail. */
  dispose(): void {
    try {
      rmdirSync(this.#folder);
    } catch {
      // An empty group is left behind.
    }
  }
}

function mountPoint(): string {
  const line = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .find((each) => each.split(" ")[2] === "cgroup2");
  const point = line?.split(" ")[1];
  if (point === undefined) throw new Error("no cgroup2 is mounted: mount -t cgroup2 none DIR");
  return point;
}
