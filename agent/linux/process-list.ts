import type { ProcessEvent, RunningProcess } from "../ports/watches.ts";
import { processNumbers, readProcess } from "./process-files.ts";

/** The processes that are known, and who wants to hear of them. */
export class ProcessList {
  readonly #processes = new Map<number, RunningProcess>();
  readonly #listeners = new Set<(event: ProcessEvent) => void>();

  get(pid: number): RunningProcess | undefined {
    return this.#processes.get(pid);
  }

  values(): Iterable<RunningProcess> {
    return this.#processes.values();
  }

  subscribe(listener: (event: ProcessEvent) => void): () => void {
    // Wrapped, so that one function can listen twice.
    const own = (event: ProcessEvent) => listener(event);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Puts a process in its place, or takes it out; tells if that is news. */
  put(pid: number, process: RunningProcess | undefined): void {
    const before = this.#processes.get(pid);
    if (process === undefined) {
      if (this.#processes.delete(pid)) this.tell({ kind: "ended", pid });
      return;
    }
    this.#processes.set(pid, process);
    if (before === undefined || !sameProgram(before, process)) {
      this.tell({ kind: "started", process });
    }
  }

  /** Reads all of them anew, and tells only that. */
  resynchronize(): void {
    this.#processes.clear();
    for (const pid of processNumbers()) {
      const process = readProcess(pid);
      if (process !== undefined) this.#processes.set(pid, process);
    }
    this.tell({ kind: "resynchronized" });
  }

  tell(event: ProcessEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function sameProgram(one: RunningProcess, other: RunningProcess): boolean {
  return (
    one.comm === other.comm &&
    one.commandLine.length === other.commandLine.length &&
    one.commandLine.every((text, index) => text === other.commandLine[index])
  );
}
