import type { ProcessEvent, ProcessTable, RunningProcess } from "../../agent/ports/watches.ts";

/** A table of processes that a test fills. */
export class ScriptedProcesses implements ProcessTable {
  readonly source = "connector";
  readonly #running = new Map<number, RunningProcess>();
  readonly #listeners = new Set<(event: ProcessEvent) => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  start(pid: number, comm: string, program = comm): void {
    const process = { pid, comm, commandLine: [program] };
    this.#running.set(pid, process);
    this.#tell({ kind: "started", process });
  }

  end(pid: number): void {
    this.#running.delete(pid);
    this.#tell({ kind: "ended", pid });
  }

  /** All others are gone, and nobody was told. */
  lose(...left: readonly RunningProcess[]): void {
    this.#running.clear();
    for (const process of left) this.#running.set(process.pid, process);
    this.#tell({ kind: "resynchronized" });
  }

  running(): Iterable<RunningProcess> {
    return this.#running.values();
  }

  subscribe(listener: (event: ProcessEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  close(): void {
    this.#listeners.clear();
  }

  #tell(event: ProcessEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
