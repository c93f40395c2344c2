import { writeFileSync } from "node:fs";
import type { FileTracker as FileConfig } from "../../config/trackers.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import { fileNumber } from "../../core/track/file-number.ts";
import type { Tracker, TrackerFigures, TrackerWorld } from "./tracker.ts";

const NOTHING: ReadonlySet<string> = new Set();

/** A track_file: its number, whenever that changes. */
export class FileTracker implements Tracker<FileConfig> {
  readonly #config: FileConfig;
  readonly #world: TrackerWorld;
  readonly #watch: { close(): void };
  #value = 0;
  #reads = 0;
  #failures = 0;

  constructor(config: FileConfig, world: TrackerWorld) {
    this.#config = config;
    this.#world = world;
    if (config.init !== undefined) this.#write(config.init);
    this.#watch = world.watchFile(config.path, (content) => this.#read(content));
  }

  reconfigure({ path, init }: FileConfig): boolean {
    return path === this.#config.path && plainEqual(init, this.#config.init, NOTHING);
  }

  figures(): TrackerFigures {
    return { runs: this.#reads, failures: this.#failures, lastMs: null };
  }

  close(): void {
    this.#watch.close();
  }

  #read(content: string | undefined): void {
    this.#reads += 1;
    const number = fileNumber(content);
    if (number === undefined) {
      this.#failures += 1;
      const { path } = this.#config;
      this.#world.warn(`${path} holds no number of 32 bits: it remains ${this.#value}`);
    }
    this.#value = number ?? this.#value;
    const reason = content === undefined ? "there is no file" : `it says ${this.#value}`;
    this.#world.found({ verdict: "up", value: this.#value, reason });
  }

  #write({ value, overwrite }: { readonly value: number; readonly overwrite: boolean }): void {
    const { path } = this.#config;
    try {
      writeFileSync(path, `${value}\n`, { flag: overwrite ? "w" : "wx" });
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
      if (code !== "EEXIST")
        this.#world.warn(`${path} could not be written (${code}), for init_file`);
    }
  }
}
