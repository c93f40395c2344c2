import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Programs in C beside this file: many run at the same time, and are to cost next to nothing. */
const NAMES = ["client", "service", "stall"] as const;

/** They are compiled into a folder that goes with `dispose`. */
export class Programs {
  readonly #folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-programs-`));

  constructor() {
    for (const name of NAMES) {
      execFileSync("tcc", ["-o", this.file(name), join(import.meta.dirname, `${name}.c`)]);
    }
  }

  file(name: (typeof NAMES)[number]): string {
    return join(this.#folder, name);
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
