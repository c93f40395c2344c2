import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { Json } from "../../sdk/index.ts";
import { isObject } from "../call/arguments.ts";

/** Bytes of the whole, as JSON. */
const LIMIT = 65_536;

/** What became of a change. */
export type Changed = "changed" | "too-large";

/**
 * A small map on disk. A change resolves when it is durable: written to a new file, synced, put in
 * the place of the old one, and the folder synced. Changes that come while one is written go together.
 */
export class DurableMap {
  readonly #path: string;
  readonly #entries: Map<string, Json>;
  #waiting: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, entries: Map<string, Json>) {
    this.#path = path;
    this.#entries = entries;
  }

  /** Reads it. What is no such map is put aside under another name, which `spoiled` is told. */
  static async open(path: string, spoiled: (aside: string) => void): Promise<DurableMap> {
    const text = await readIfThere(path);
    if (text === undefined) return new DurableMap(path, new Map());
    const entries = entriesOf(text);
    if (entries !== undefined) return new DurableMap(path, entries);
    const aside = `${path}.spoiled`;
    await rename(path, aside);
    spoiled(aside);
    return new DurableMap(path, new Map());
  }

  get(key: string): Json {
    return this.#entries.get(key) ?? null;
  }

  /** `null` deletes. Rejects with the error of the file system; the change then holds until the end. */
  async set(key: string, value: Json): Promise<Changed> {
    const before = this.#entries.get(key);
    if (value === null) this.#entries.delete(key);
    else this.#entries.set(key, value);
    if (Buffer.byteLength(this.#text()) > LIMIT) {
      if (before === undefined) this.#entries.delete(key);
      else this.#entries.set(key, before);
      return "too-large";
    }
    await this.#write();
    return "changed";
  }

  /** Everything is written, or has failed. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  /** One writes, and at most one waits: it will write all that has come until then. */
  #write(): Promise<void> {
    if (this.#waiting !== undefined) return this.#waiting;
    const waiting = this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#waiting = undefined;
        return replace(this.#path, this.#text());
      });
    this.#waiting = waiting;
    this.#writing = waiting;
    return waiting;
  }

  #text(): string {
    return JSON.stringify([...this.#entries]);
  }
}

async function replace(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const fresh = `${path}.new`;
  const file = await open(fresh, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  const entry = await open(folder, "r");
  try {
    await entry.sync();
  } finally {
    await entry.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function entriesOf(text: string): Map<string, Json> | undefined {
  try {
    const value = JSON.parse(text) as Json;
    if (!Array.isArray(value) || isObject(value)) return undefined;
    const entries = value as readonly Json[];
    const good = entries.every(
      (entry) => Array.isArray(entry) && entry.length === 2 && typeof entry[0] === "string",
    );
    return good ? new Map(entries as readonly (readonly [string, Json])[]) : undefined;
  } catch {
    return undefined;
  }
}
