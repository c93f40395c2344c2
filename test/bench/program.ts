import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { processTree, roleOf } from "./process-figures.ts";

export type ProgramName = "holdfast" | "keepalived";
export const PROGRAMS: readonly ProgramName[] = ["holdfast", "keepalived"];

const ROOT = join(import.meta.dirname, "../..");

/** Holdfast as a package has it: the bundle, without its sources beside it. */
export class Package {
  readonly folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-package-`));

  constructor() {
    mkdirSync(join(this.folder, "agent"));
    for (const file of ["agent/holdfast.mjs", "package.json", "dist", "sdk"]) {
      cpSync(join(ROOT, file), join(this.folder, file), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(this.folder, "node_modules"));
  }

  get program(): string {
    return join(this.folder, "agent/holdfast.mjs");
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What keepalived is started with besides its configuration. */
export interface KeepalivedStart {
  readonly words: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

const VRRP_ALONE: KeepalivedStart = { words: ["--vrrp"] };

/** One program on one node, which may be started, stopped and killed again and again. */
export class Daemon {
  readonly name: ProgramName;
  readonly node: LabNode;
  readonly #folder: string;
  readonly #package: Pick<Package, "program">;
  readonly #options: readonly string[];
  readonly #keepalived: KeepalivedStart;
  log = "";
  #child: ChildProcess | undefined;

  /** `options`: further words for Holdfast. */
  constructor(
    name: ProgramName,
    from: Pick<Package, "program">,
    node: LabNode,
    config: string,
    options: readonly string[] = [],
    keepalived = VRRP_ALONE,
  ) {
    this.name = name;
    this.node = node;
    this.#package = from;
    this.#options = options;
    this.#keepalived = keepalived;
    this.#folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-${name}-`));
    this.configure(config);
  }

  /** `line` hears every line of the log. */
  start(line: (text: string) => void = () => undefined): void {
    const [command, args] = this.#command();
    const env = { ...process.env, ...(this.name === "keepalived" ? this.#keepalived.env : {}) };
    const child = this.node.spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
        const lines = (rest + text).split("\n");
        rest = lines.pop() ?? "";
        for (const each of lines) line(each);
      });
    }
  }

  /** Of Holdfast, for what the agent tells of itself. */
  get control(): string {
    return this.#file("control.sock");
  }

  configure(config: string): void {
    writeFileSync(this.#file("keepalived.conf"), config);
  }

  reload(): void {
    this.#child?.kill("SIGHUP");
  }

  /** Its processes, the first one first. */
  get pids(): readonly number[] {
    const pid = this.#child?.pid;
    return pid === undefined || this.ended ? [] : processTree(pid);
  }

  /** The one that speaks VRRP; keepalived's first and only child when it checks no servers. */
  get vrrpPid(): number {
    const [, ...children] = this.pids;
    const own = children.find((pid) => roleOf(pid) === "vrrp");
    const pid = this.name === "holdfast" ? own : children[0];
    if (pid === undefined)
      throw new Error(`${this.name} has no VRRP process:\n${this.log.slice(-1_000)}`);
    return pid;
  }

  get ended(): boolean {
    const child = this.#child;
    return child === undefined || child.exitCode !== null || child.signalCode !== null;
  }

  /** SIGKILL to all processes, so quickly that none of them notices the end of another. */
  async kill(): Promise<void> {
    const [first, ...rest] = this.pids;
    for (const pid of first === undefined ? [] : [...rest, first]) process.kill(pid, "SIGKILL");
    await this.#gone();
  }

  async stop(): Promise<void> {
    if (!this.ended) this.#child?.kill("SIGTERM");
    await this.#gone();
  }

  dispose(): void {
    if (!this.ended) this.#child?.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #gone(): Promise<void> {
    if (this.#child !== undefined && !this.ended) await once(this.#child, "exit");
  }

  #command(): readonly [string, readonly string[]] {
    const config = this.#file("keepalived.conf");
    if (this.name === "holdfast") {
      const files = ["--state", this.#file("state"), "--control", this.control, ...this.#options];
      const run = ["run", "--config", config, ...files, "--log-format", "json"];
      return [process.execPath, [this.#package.program, ...run]];
    }
    const pids = ["--pid", this.#file("pid"), "--vrrp_pid", this.#file("vrrp.pid")];
    const checkers = ["--checkers_pid", this.#file("checkers.pid")];
    const how = ["--dont-fork", "--log-console", ...this.#keepalived.words];
    return ["keepalived", [...how, "--use-file", config, ...pids, ...checkers]];
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}
