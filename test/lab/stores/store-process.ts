import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A real server of a store on the loopback interface, with a folder of its own. */
export class StoreProcess {
  readonly folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-store-`));
  readonly #command: (folder: string) => readonly [string, ...string[]];
  #child: ChildProcess | undefined;
  #log = "";

  constructor(command: (folder: string) => readonly [string, ...string[]]) {
    this.#command = command;
    process.once("exit", () => this.signal("SIGKILL"));
  }

  start(): this {
    const [program, ...args] = this.#command(this.folder);
    assert.ok(existsSync(program), `${program} is not on this machine`);
    const child = spawn(program, args, { cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-4_000);
      });
    }
    this.#child = child;
    return this;
  }

  /** What it said last. */
  get log(): string {
    return this.#log;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Stops it; returns when each of its threads stands still, which on a busy machine takes a while. */
  stop(): void {
    this.signal("SIGSTOP");
    const folder = `/proc/${this.#child?.pid}/task`;
    const stands = (thread: string): boolean =>
      /^State:\s*T/m.test(readFileSync(`${folder}/${thread}/status`, "utf8"));
    const until = performance.now() + 2_000;
    while (performance.now() < until && !readdirSync(folder).every(stands));
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
