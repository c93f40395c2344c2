import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, rename } from "node:fs/promises";
import type { Notice } from "../../core/notify/notice.ts";
import type { DeadLetter, Entry } from "./outbox-entry.ts";
import { readOutbox } from "./outbox-records.ts";

/** More lines than this that count for nothing, and more than count: the file is written anew. */
const GARBAGE = 1_000;

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * The outbox on disk: a log of what came, and of what became of it. What is said is written at the end
 * of the same turn, whatever the disk is at: a killed process loses nothing that was said before. Then
 * it is synced, together with what came meanwhile: a machine that loses power loses the last of it at
 * most. Nobody waits for it. What cannot be written is kept in memory and said.
 */
export class OutboxFile {
  readonly #path: string;
  readonly #failed: (message: string) => void;
  readonly #live = new Map<number, string>();
  readonly #dead = new Map<number, string>();
  #pending: string[] = [];
  #garbage = 0;
  #handle: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #unsynced = false;
  /** What was written last may be half a line. */
  #torn = true;

  private constructor(path: string, failed: (message: string) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  /** Opens what an earlier run left. Says through `failed` what could not be read or written. */
  static open(
    directory: string,
    failed: (message: string) => void,
  ): { file: OutboxFile; entries: readonly Entry[]; dead: readonly DeadLetter[] } {
    const path = `${directory}/log`;
    const file = new OutboxFile(path, failed);
    const { entries, dead, lines, spoilt, problem } = readOutbox(directory, path);
    if (problem !== undefined) failed(problem);
    if (spoilt > 0) failed(`${spoilt} lines of ${path} could not be read and were left out`);
    for (const { id, notice } of entries) file.#live.set(id, putLine(id, notice));
    for (const letter of dead) file.#dead.set(letter.id, deadLine(letter));
    // What was spoilt, or is not ours, goes at the first opportunity.
    file.#garbage =
      problem !== undefined || spoilt > 0
        ? Number.POSITIVE_INFINITY
        : lines - entries.length - dead.length;
    return { file, entries, dead };
  }

  /** It waits, for the first time or again. */
  put({ id, notice }: Entry): void {
    const line = putLine(id, notice);
    this.#dead.delete(id);
    this.#live.set(id, line);
    this.#append(line, 0);
  }

  /** Delivered, or told by another one. */
  done(ids: readonly number[]): void {
    const known = ids.filter((id) => this.#live.delete(id) || this.#dead.delete(id));
    if (known.length > 0) this.#append(JSON.stringify(["done", known]), known.length + 1);
  }

  died(letter: DeadLetter): void {
    this.#live.delete(letter.id);
    const line = deadLine(letter);
    this.#dead.set(letter.id, line);
    this.#append(line, 1);
  }

  /** Resolves when everything that was said so far is on the disk, or could not be written. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined || this.#syncing !== undefined) {
      await this.#writing;
      await this.#syncing;
    }
  }

  async close(): Promise<void> {
    await this.flush();
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  #append(line: string, garbage: number): void {
    this.#pending.push(`${line}\n`);
    this.#garbage += garbage;
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    // One batch for all that is said in this turn.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      try {
        // What is not ours is never written to.
        if (this.#garbage < Number.POSITIVE_INFINITY) await this.#extend(batch.join(""));
        if (this.#garbage > GARBAGE && this.#garbage > this.#live.size + this.#dead.size) {
          await this.#rewrite();
        }
      } catch (error) {
        this.#fail(error);
      }
    }
    // In this very turn: what is said in the next one begins anew.
    this.#writing = undefined;
  }

  async #extend(text: string): Promise<void> {
    this.#handle ??= await open(this.#path, APPEND, 0o600);
    const begin = this.#torn ? "\n" : "";
    this.#torn = true;
    await this.#handle.appendFile(begin + text);
    this.#torn = false;
    this.#unsynced = true;
    this.#syncing ??= this.#sync();
  }

  async #sync(): Promise<void> {
    while (this.#unsynced) {
      this.#unsynced = false;
      try {
        await this.#handle?.datasync();
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#syncing = undefined;
  }

  /** Everything that counts, in a file that takes the place of the old one. */
  async #rewrite(): Promise<void> {
    await this.#syncing;
    const lines = [...this.#live.values(), ...this.#dead.values()];
    const fresh = `${this.#path}.new`;
    const handle = await open(fresh, "w", 0o600);
    try {
      await handle.writeFile(lines.map((line) => `${line}\n`).join(""));
      await handle.sync();
      await rename(fresh, this.#path);
    } catch (error) {
      await handle.close();
      throw error;
    }
    const old = this.#handle;
    this.#handle = handle;
    this.#torn = false;
    this.#garbage = 0;
    await old?.close();
    const directory = await open(this.#path.slice(0, this.#path.lastIndexOf("/")), "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  #fail(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#failed(`the outbox is not on disk: ${why}`);
    // The whole of it is tried with the next one.
    this.#garbage = Number.POSITIVE_INFINITY;
  }
}

const putLine = (id: number, notice: Notice): string => JSON.stringify(["put", id, notice]);

const deadLine = ({ id, notice, reason, diedAt }: DeadLetter): string =>
  JSON.stringify(["dead", id, notice, reason, diedAt]);
