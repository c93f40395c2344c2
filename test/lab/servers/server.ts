import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { eventually } from "../eventually.ts";

const READY_MS = 20_000;
const LISTENS = "0A";

export interface ServerPlan {
  readonly node: LabNode;
  /** The whole path, then the arguments. It stays in the foreground. */
  readonly command: readonly [string, ...string[]];
  /** Throws, or rejects, until it serves. */
  readonly ready: () => unknown;
}

/** A real server on a node, with all that it starts. */
export class Server {
  readonly #plan: ServerPlan;
  #child: ChildProcess | undefined;
  #log = "";

  constructor(plan: ServerPlan) {
    this.#plan = plan;
  }

  /** Resolves when it serves. Rejects with what it said when it ends before. */
  async start(): Promise<void> {
    const { node, command, ready } = this.#plan;
    const [program, ...args] = command;
    needProgram(program);
    const child = node.spawn(program, args, {
      detached: true,
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#log = (this.#log + text).slice(-4_000);
      });
    }
    await eventually(`${program} serves`, READY_MS, async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      await ready();
    }).catch((error: unknown) => {
      throw new Error(`${program} does not serve:\n${this.#log}`, { cause: error });
    });
    if (this.#running === undefined) throw new Error(`${program} ended:\n${this.#log}`);
  }

  /** To it and to all its children. */
  signal(signal: NodeJS.Signals): void {
    const pid = this.#running?.pid;
    if (pid !== undefined) process.kill(-pid, signal);
  }

  /** As `kill -9` of all of it; resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#running;
    if (child === undefined) return;
    const exited = once(child, "exit");
    this.signal("SIGKILL");
    await exited;
  }

  get #running(): ChildProcess | undefined {
    const child = this.#child;
    return child?.exitCode === null && child.signalCode === null ? child : undefined;
  }
}

/** Runs a program on a node to its end, and lets others go on meanwhile. */
export async function runOn(
  node: LabNode,
  [program, ...args]: readonly [string, ...string[]],
): Promise<{ readonly status: number | null; readonly output: string }> {
  const child = node.spawn(program, args, { cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  await once(child, "close");
  return { status: child.exitCode, output };
}

/** Throws where a program is missing: a test without its server has tested nothing. */
export function needProgram(path: string): void {
  if (existsSync(path)) return;
  throw new Error(`${path} is not on this machine; npm test, as root, installs it from Debian`);
}

/** Throws unless somebody on this node listens on this TCP port. */
export function listens(node: LabNode, port: number): void {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const tables = node.run(() =>
    ["tcp", "tcp6"].map((name) => readFileSync(`/proc/thread-self/net/${name}`, "utf8")),
  );
  const rows = tables.join("\n").split("\n");
  const found = rows.some((row) => {
    const [, local = "", , state] = row.trim().split(/\s+/);
    return state === LISTENS && local.endsWith(`:${hex}`);
  });
  if (!found) throw new Error(`nobody listens on ${node.name}:${port}`);
}
