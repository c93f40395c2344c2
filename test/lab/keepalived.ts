import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";

/** Debian's keepalived on a node of the lab. */
export class Keepalived {
  readonly node: LabNode;
  readonly folder: string;
  log = "";
  readonly #parts: readonly string[];
  #child: ChildProcess | undefined;

  /** `parts`: options that say which of its processes run; with none of them all do. */
  constructor(node: LabNode, config: string, parts: readonly string[] = ["--vrrp"]) {
    this.node = node;
    this.#parts = parts;
    this.folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-${node.name}-`));
    this.configure(config);
  }

  configure(config: string): void {
    writeFileSync(join(this.folder, "keepalived.conf"), config);
  }

  async start(...more: readonly string[]): Promise<void> {
    const file = (name: string): string => join(this.folder, name);
    const child = this.node.spawn(
      "keepalived",
      [
        ...["--dont-fork", "--log-console", "--log-detail", ...this.#parts],
        ...["--use-file", file("keepalived.conf"), "--pid", file("pid")],
        ...["--vrrp_pid", file("vrrp.pid"), "--checkers_pid", file("checkers.pid"), ...more],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
      });
    }
    await once(child, "spawn");
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  }

  dispose(): void {
    this.#child?.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}
