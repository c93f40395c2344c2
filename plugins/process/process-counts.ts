import type { ProcessTable, RunningProcess } from "../../agent/ports/watches.ts";

/** Of a longer name the kernel keeps so many bytes: TASK_COMM_LEN. */
const COMM_BYTES = 15;

/** How many processes there are of each name, kept up to date. */
export class ProcessCounts {
  readonly #table: ProcessTable;
  readonly #names = new Map<number, readonly string[]>();
  readonly #counts = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #telling: NodeJS.Immediate | undefined;

  constructor(table: ProcessTable) {
    this.#table = table;
    this.#unsubscribe = table.subscribe((event) => {
      if (event.kind === "resynchronized") this.#countAll();
      else if (event.kind === "ended") this.#put(event.pid, undefined);
      else this.#put(event.process.pid, event.process);
      this.#telling ??= setImmediate(() => this.#tell());
    });
    this.#countAll();
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** `changed` is called after changes, a few at once. */
  listen(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => {
      this.#listeners.delete(changed);
    };
  }

  close(): void {
    this.#unsubscribe();
    if (this.#telling !== undefined) clearImmediate(this.#telling);
    this.#listeners.clear();
  }

  #tell(): void {
    this.#telling = undefined;
    for (const changed of [...this.#listeners]) changed();
  }

  #countAll(): void {
    this.#names.clear();
    this.#counts.clear();
    for (const process of this.#table.running()) this.#put(process.pid, process);
  }

  #put(pid: number, process: RunningProcess | undefined): void {
    for (const name of this.#names.get(pid) ?? []) this.#counts.set(name, this.count(name) - 1);
    this.#names.delete(pid);
    if (process === undefined) return;
    const names = namesOf(process);
    this.#names.set(pid, names);
    for (const name of names) this.#counts.set(name, this.count(name) + 1);
  }
}

/** The name that the kernel has; where it may be cut off, that of the program's file as well. */
function namesOf({ comm, commandLine }: RunningProcess): readonly string[] {
  if (Buffer.byteLength(comm) < COMM_BYTES) return [comm];
  const program = commandLine[0]?.split("/").at(-1) ?? "";
  return program !== comm && program.startsWith(comm) ? [comm, program] : [comm];
}
