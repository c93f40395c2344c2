import type { Instant } from "../../core/time.ts";
import { after, milliseconds, sooner } from "../../core/time.ts";
import type { PolicyFile } from "../../policy/discover.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Schedule, Slot } from "../schedule.ts";
import type { PolicySource, WatchFolder } from "./ports.ts";

/** An editor is done when nothing has changed for this long. */
const QUIET = milliseconds(50);
/** In a folder that changes all the time, one looks this often. */
const LONGEST_WAIT = milliseconds(200);
/** Clocks of file systems tick this coarsely. */
const TICK_MS = 20;

export interface FolderListener {
  /** It is there, and is not, or may not be, what was built last. */
  changed(policy: PolicyFile): void;
  gone(name: string): void;
  problem(message: string): void;
}

interface Known {
  readonly policy: PolicyFile;
  /** What was read, and how it was when it was: by path. */
  marks: ReadonlyMap<string, string>;
  /** It could not be built: what it needs may have come meanwhile. */
  failed: boolean;
}

/** What is needed to look at a folder. */
export interface FolderPorts {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly source: PolicySource;
  readonly watchFolder: WatchFolder;
}

/** The policies folder, and which of its policies are to be built. */
export class PolicyFolder {
  readonly directory: string;
  readonly #ports: FolderPorts;
  readonly #listener: FolderListener;
  readonly #known = new Map<string, Known>();
  readonly #watch: { close(): Promise<void> };
  readonly #slot: Slot;
  #lookBefore: Instant | undefined;
  #problems = "";

  constructor(directory: string, ports: FolderPorts, listener: FolderListener) {
    this.directory = directory;
    this.#ports = ports;
    this.#listener = listener;
    this.#slot = ports.schedule.slot(() => this.look());
    this.#watch = ports.watchFolder(
      directory,
      () => this.#lookSoon(),
      (message) => listener.problem(`the policies folder is not watched: ${message}`),
    );
  }

  /** Looks now. */
  look(): void {
    this.#slot.set(undefined);
    this.#lookBefore = undefined;
    const { policies, problems } = this.#ports.source.discover(this.directory);
    const lines = problems.map(({ message, hint }) => `${message}; ${hint ?? ""}`);
    if (lines.join("\n") !== this.#problems) for (const line of lines) this.#listener.problem(line);
    this.#problems = lines.join("\n");
    const names = new Set(policies.map(({ name }) => name));
    for (const name of [...this.#known.keys()]) {
      if (names.has(name)) continue;
      this.#known.delete(name);
      this.#listener.gone(name);
    }
    for (const policy of policies) this.#lookAt(policy);
  }

  /** All of them are to be built anew: the settings have changed. */
  renew(): void {
    for (const known of this.#known.values()) known.failed = true;
    this.look();
  }

  /** A build of this policy, which began at `startedAt` on the wall clock, has read these files. */
  built(name: string, inputs: readonly string[], startedAt: number, ok: boolean): void {
    const known = this.#known.get(name);
    if (known === undefined) return;
    const marks = new Map<string, string>();
    let unsure = false;
    for (const path of inputs) {
      const before = known.marks.get(path);
      const { id, changedAt } = this.#ports.source.mark(path);
      // What was first read by this build may have changed after it was read.
      const fresh = before === undefined && changedAt < startedAt - TICK_MS;
      if (before === undefined && !fresh) unsure = true;
      marks.set(path, before ?? (fresh ? id : ""));
    }
    known.marks = marks;
    known.failed = !ok;
    if (unsure) this.#lookSoon();
  }

  async close(): Promise<void> {
    this.#slot.set(undefined);
    await this.#watch.close();
  }

  #lookAt(policy: PolicyFile): void {
    const { mark } = this.#ports.source;
    const known = this.#known.get(policy.name);
    if (known !== undefined && known.policy.file === policy.file) {
      const now = new Map([...known.marks.keys()].map((path) => [path, mark(path).id]));
      const same = [...known.marks].every(([path, id]) => now.get(path) === id);
      if (same && !known.failed) return;
      known.marks = now;
      known.failed = false;
    } else {
      const marks = new Map([[policy.file, mark(policy.file).id]]);
      this.#known.set(policy.name, { policy, marks, failed: false });
    }
    this.#listener.changed(policy);
  }

  #lookSoon(): void {
    const now = this.#ports.clock.now();
    this.#lookBefore ??= after(now, LONGEST_WAIT);
    this.#slot.set(sooner(after(now, QUIET), this.#lookBefore));
  }
}
