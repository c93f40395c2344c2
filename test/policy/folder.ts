import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import type { Trust } from "../../agent/policy/ownership.ts";

/** A policies folder of a test's own; gone when the test file ends. */
export class PolicyFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), `hf-${process.pid}-policy-`)));
  /** Who runs the tests, and nothing above the folder. */
  readonly trust: Trust = { uids: new Set([process.geteuid?.() ?? 0]), top: this.path };

  constructor() {
    after(() => rmSync(this.path, { recursive: true, force: true }));
  }

  /** Writes a file, and the folders above it; answers its path. */
  write(name: string, text: string, mode = 0o644): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    chmodSync(dirname(path), 0o755);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }
}

/** A policy with these members. */
export const policyText = (members: string): string =>
  `import { definePolicy } from "holdfast/sdk";\nexport default definePolicy({ ${members} });\n`;
