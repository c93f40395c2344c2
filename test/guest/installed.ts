import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** Holdfast as a package has it, in a folder of its own: it starts much faster than its sources do. */
export class Installed {
  readonly #folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-installed-`));
  readonly program = join(this.#folder, "agent/holdfast.mjs");
  /** A place for bundled tests, which find the dependencies here as well. */
  readonly tests = join(this.#folder, "guest");

  constructor() {
    const built = spawnSync(
      process.execPath,
      [join(ROOT, "agent/build.ts"), join(this.#folder, "dist")],
      { encoding: "utf8" },
    );
    if (built.status !== 0) {
      this.dispose();
      throw new Error(built.stderr);
    }
    cpSync(join(ROOT, "agent/holdfast.mjs"), this.program);
    cpSync(join(ROOT, "package.json"), join(this.#folder, "package.json"));
    symlinkSync(join(ROOT, "node_modules"), join(this.#folder, "node_modules"));
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
