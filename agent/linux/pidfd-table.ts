import koffi from "koffi";
import type { ProcessTable } from "../ports/watches.ts";
import { libc } from "./libc.ts";
import type { SeenProcess } from "./process-files.ts";
import { processNumbers, readProcess } from "./process-files.ts";
import { ProcessList } from "./process-list.ts";

const SYS_PIDFD_OPEN = 434;
const LOOK_MS = 1_000;
/** Descriptors are dear: the ends of further processes show when it looks the next time. */
const MOST_PIDFDS = 2_000;

/**
 * The processes of this pid namespace where the kernel does not tell of them: each has a pidfd, which
 * shows its end at once (Linux 5.3), and once a second new ones are looked for. Main thread only.
 */
export function openPidfdTable(): ProcessTable {
  const table = new PidfdTable();
  open.add(table);
  return table;
}

/** koffi forgets handles that nobody holds. */
const open = new Set<PidfdTable>();

class PidfdTable implements ProcessTable {
  readonly source = "pidfd";
  readonly #list = new ProcessList();
  readonly #startedAt = new Map<number, number>();
  readonly #ends = new Map<number, { close(): void }>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  running(): ReturnType<ProcessTable["running"]> {
    return this.#list.values();
  }

  subscribe(listener: Parameters<ProcessTable["subscribe"]>[0]): () => void {
    return this.#list.subscribe(listener);
  }

  close(): void {
    if (!open.delete(this)) return;
    clearInterval(this.#timer);
    for (const end of this.#ends.values()) end.close();
    this.#ends.clear();
  }

  #look(): void {
    const seen = new Set<number>();
    for (const pid of processNumbers()) {
      const process = readProcess(pid);
      if (process === undefined) continue;
      seen.add(pid);
      this.#see(process);
    }
    for (const pid of [...this.#startedAt.keys()]) if (!seen.has(pid)) this.#ended(pid);
  }

  #see({ startedAt, ...process }: SeenProcess): void {
    const { pid } = process;
    if (this.#startedAt.has(pid) && this.#startedAt.get(pid) !== startedAt) this.#ended(pid);
    if (!this.#startedAt.has(pid)) {
      this.#startedAt.set(pid, startedAt);
      // Threads of the kernel do not end of note.
      if (process.commandLine.length > 0) this.#awaitEnd(pid, startedAt);
    }
    this.#list.put(pid, process);
  }

  #ended(pid: number): void {
    this.#startedAt.delete(pid);
    this.#ends.get(pid)?.close();
    this.#ends.delete(pid);
    this.#list.put(pid, undefined);
  }

  #awaitEnd(pid: number, startedAt: number): void {
    if (this.#ends.size >= MOST_PIDFDS) return;
    const fd = libc().syscall(SYS_PIDFD_OPEN, pid, 0, 0);
    if (fd < 0) return;
    // An exception in koffi's callback would be lost: only take note here.
    const poll = koffi.node.poll(fd, { readable: true }, () => {
      poll.stop();
      setImmediate(() => {
        if (this.#startedAt.get(pid) === startedAt) this.#ended(pid);
      });
    });
    const close = () => {
      poll.close();
      libc().close(fd);
    };
    this.#ends.set(pid, { close });
  }
}
