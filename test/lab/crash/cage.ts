import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Hierarchy {
  readonly folder: string;
  /** cgroup v2. */
  readonly unified: boolean;
}

let cages = 0;

/**
 * A control group for the processes of one node: they are frozen, killed at one stroke, or run out of
 * memory together. v2's where it is mounted; memory is often still v1's.
 */
export class Cage {
  readonly #made: readonly Hierarchy[];
  readonly #kill: Hierarchy | undefined;
  readonly #memory: Hierarchy | undefined;

  constructor() {
    cages += 1;
    const name = `hf-${process.pid}-cage-${cages}`;
    const mounts = mounted();
    this.#made = mounts.map(({ folder, unified }) => {
      const own = { folder: join(folder, name), unified };
      mkdirSync(own.folder, { recursive: true });
      return own;
    });
    const made = this.#made;
    this.#kill = made.find(({ folder }) => existsSync(join(folder, "cgroup.kill")));
    const limits = ["memory.limit_in_bytes", "memory.max"];
    this.#memory = made.find(({ folder }) => limits.some((one) => existsSync(join(folder, one))));
  }

  /** What of this cannot be done here; `undefined` when all can. */
  static lacks(): string | undefined {
    const cage = new Cage();
    try {
      if (cage.#kill === undefined) return "needs cgroup v2 with cgroup.kill";
      return cage.#memory === undefined ? "needs the memory controller of cgroups" : undefined;
    } finally {
      cage.dispose();
    }
  }

  /** What it starts from now on is in it, too. */
  add(pid: number): void {
    for (const one of this.#made) writeFileSync(join(one.folder, "cgroup.procs"), String(pid));
  }

  freeze(frozen: boolean): void {
    this.#write(this.#kill, "cgroup.freeze", frozen ? "1" : "0");
  }

  frozen(): boolean {
    return /^frozen 1$/m.test(this.#read(this.#kill, "cgroup.events"));
  }

  /** SIGKILL to all that is in it: none sees another one die. */
  kill(): void {
    this.#write(this.#kill, "cgroup.kill", "1");
  }

  /** Counts what those in it take from when they came. */
  limitMemory(bytes: number): void {
    const limit = this.#memory?.unified ? "memory.max" : "memory.limit_in_bytes";
    this.#write(this.#memory, limit, String(bytes));
  }

  /** Where a program puts itself to use this cage's memory. */
  get memoryProcs(): string {
    return join(this.#memory?.folder ?? "", "cgroup.procs");
  }

  dispose(): void {
    if (this.#kill !== undefined) this.kill();
    for (const { folder } of this.#made) remove(folder);
  }

  #read(hierarchy: Hierarchy | undefined, file: string): string {
    return readFileSync(join(hierarchy?.folder ?? "", file), "utf8");
  }

  #write(hierarchy: Hierarchy | undefined, file: string, text: string): void {
    writeFileSync(join(hierarchy?.folder ?? "", file), text);
  }
}

/** Of v2, and of v1's memory controller. */
function mounted(): readonly Hierarchy[] {
  return readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .flatMap((line): readonly Hierarchy[] => {
      const [, folder = "", type, options = ""] = line.split(" ");
      if (type === "cgroup2") return [{ folder, unified: true }];
      const memory = type === "cgroup" && options.split(",").includes("memory");
      return memory ? [{ folder, unified: false }] : [];
    });
}

/** It is busy until the last process that was in it is gone. */
function remove(folder: string): void {
  const until = performance.now() + 2_000;
  for (;;) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }
}
