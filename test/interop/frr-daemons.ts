import type { ChildProcess } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { eventually } from "../lab/eventually.ts";

const DAEMONS = "/usr/lib/frr";
export const STARTED_MS = 20_000;

/** FRR's daemons on a node of the lab, in a folder of their own. */
export class FrrDaemons {
  readonly folder: string;
  log = "";
  readonly #node: LabNode;
  readonly #config: string;
  readonly #children: ChildProcess[] = [];

  constructor(node: LabNode, config: string) {
    this.#node = node;
    this.folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-${node.name}-`));
    this.#config = join(this.folder, "frr.conf");
    writeFileSync(this.#config, config);
    // The daemons insist on their own user, and put their sockets here.
    const { uid, gid } = statSync("/etc/frr");
    chownSync(this.folder, uid, gid);
  }

  /** Starts zebra, then the daemon with the configuration; resolves when it answers `question`. */
  async start(daemon: string, question: string, ...more: readonly string[]): Promise<void> {
    this.#spawn("zebra", "/dev/null");
    await this.#speaking("zebra", "show version");
    this.#spawn(daemon, this.#config, ...more);
    await this.#speaking(daemon, question);
  }

  ask(daemon: string, ...commands: readonly string[]): string {
    const { status, stdout, stderr } = this.#node.exec("vtysh", [
      ...["--vty_socket", this.folder, "-d", daemon],
      ...commands.flatMap((command) => ["-c", command]),
    ]);
    if (status !== 0) throw new Error(`${daemon}: ${stdout}${stderr}\n${this.log}`);
    return stdout;
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    for (const child of this.#children) child.kill(signal);
  }

  dispose(): void {
    this.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(daemon: string, config: string, ...more: readonly string[]): void {
    const file = (name: string): string => join(this.folder, name);
    const child = this.#node.spawn(
      join(DAEMONS, daemon),
      [
        ...["--vty_socket", this.folder, "-z", file("zserv.api"), "-i", file(`${daemon}.pid`)],
        ...["-P", "0", "--log", "stdout", "-f", config, ...more],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#children.push(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
      });
    }
  }

  #speaking(daemon: string, question: string): Promise<unknown> {
    return eventually(`${daemon} answers`, STARTED_MS, () => this.ask(daemon, question));
  }
}
