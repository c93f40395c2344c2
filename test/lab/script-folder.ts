import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Scripts that do as a test says, in a folder of their own. */
export class ScriptFolder {
  readonly path = mkdtempSync(join(tmpdir(), `hf-${process.pid}-scripts-`));

  constructor() {
    chmodSync(this.path, 0o755);
  }

  /** A script that sleeps and ends as its file of orders says; answers its path. */
  script(name: string, status: number, sleepS = 0): string {
    this.order(name, status, sleepS);
    const path = join(this.path, name);
    const orders = join(this.path, `${name}.orders`);
    writeFileSync(path, `#!/bin/sh\nread pause status < ${orders}\nsleep $pause\nexit $status\n`);
    chmodSync(path, 0o755);
    return path;
  }

  order(name: string, status: number, sleepS = 0): void {
    writeFileSync(join(this.path, `${name}.orders`), `${sleepS} ${status}\n`);
  }

  /** A script that says in a file that it ran, with its arguments. */
  recorder(name: string): string {
    const path = join(this.path, name);
    writeFileSync(path, `#!/bin/sh\necho "$(basename $0) $*" >> ${this.file("record")}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  get record(): readonly string[] {
    try {
      return readFileSync(this.file("record"), "utf8").trim().split("\n");
    } catch {
      return [];
    }
  }

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, content: string): void {
    writeFileSync(this.file(name), content);
  }

  remove(name: string): void {
    rmSync(this.file(name), { force: true });
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
