import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { removePidFile } from "./state-store.ts";

/** reload_file: a file that is there while the configuration is being read, for who writes it. */
export class ReadingMark {
  /** Why the file could not be made. */
  readonly problem: string | undefined;
  readonly #file: string | undefined;

  constructor(file: string | undefined) {
    this.#file = file;
    this.problem = file === undefined ? undefined : make(file);
  }

  remove(): void {
    if (this.#file !== undefined && this.problem === undefined) removePidFile(this.#file);
  }
}

function make(file: string): string | undefined {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
