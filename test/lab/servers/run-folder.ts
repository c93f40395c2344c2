import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Policies are not loaded from below /tmp, where everybody may write. */
const PLACE = "/run";
const MARK = `hf-${process.pid}-`;

/** A folder of its own that every user may look into, for servers, and for policies. */
export class RunFolder {
  readonly path: string;

  constructor() {
    this.path = mkdtempSync(join(PLACE, MARK));
    chmodSync(this.path, 0o755);
  }

  /** Writes a file, with the folders above it; answers its path. */
  write(name: string, content: string, mode = 0o644): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
    chmodSync(path, mode);
    return path;
  }

  join(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Fails while a folder of this process is still there. */
export function noFolderLeft(): void {
  const left = readdirSync(PLACE).filter((name) => name.startsWith(MARK));
  assert.deepEqual(left, [], "folders are left");
}
