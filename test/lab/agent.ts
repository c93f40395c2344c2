import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEvents, requestStatus } from "../../agent/control/client.ts";
import type { AgentEvent, Status } from "../../agent/control/protocol.ts";
import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { eventually } from "./eventually.ts";

/** That of the checkout, unless another is given in the environment. */
export const PROGRAM =
  process.env["HOLDFAST_LAB_PROGRAM"] ?? join(import.meta.dirname, "../../agent/holdfast.mjs");

/** Far beyond a start on a busy machine; one that restarts its children for ever is no start. */
const STARTED_MS = 60_000;
/** In a guest with one slow processor. */
export const STARTED_IN_GUEST_MS = 120_000;

/** A real agent on a node of the lab, with its files in a folder of its own. */
export class Agent {
  readonly node: LabNode;
  readonly folder: string;
  readonly control: string;
  readonly events: AgentEvent[] = [];
  log = "";
  #child: ChildProcess | undefined;
  /** How many of the events are of earlier runs. */
  #earlier = 0;

  readonly #startedMs: number;

  constructor(node: LabNode, config: string, startedMs = STARTED_MS) {
    this.node = node;
    this.#startedMs = startedMs;
    this.folder = mkdtempSync(join(tmpdir(), `hf-${process.pid}-${node.name}-`));
    this.control = join(this.folder, "control.sock");
    this.configure(config);
  }

  get configFile(): string {
    return join(this.folder, "keepalived.conf");
  }

  configure(config: string): void {
    writeFileSync(this.configFile, config);
  }

  /**
   * Starts the agent; resolves when its control socket answers, and what it has told by then is in
   * `events`. Rejects with its log when it ends.
   */
  async start(...more: readonly string[]): Promise<void> {
    const child = this.node.spawn(
      process.execPath,
      [
        PROGRAM,
        "run",
        ...["--config", this.configFile, "--state", join(this.folder, "state")],
        ...["--control", this.control, "--policies", join(this.folder, "policies")],
        ...["--log-format", "json", ...more],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.log += text;
      });
    }
    const deadline = performance.now() + this.#startedMs;
    while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
      const status = await requestStatus(this.control).catch(() => undefined);
      if (status?.current) {
        this.#earlier = this.events.length;
        void readEvents(this.control, true, (event) => this.events.push(event)).catch(
          () => undefined,
        );
        await this.heard();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const outcome =
      performance.now() < deadline ? "ended" : `answered not in ${this.#startedMs} ms`;
    throw new Error(`the agent on ${this.node.name} ${outcome}:\n${this.log}`);
  }

  /**
   * Resolves with how many `events` there are, when all is in them that the agent has told so far: a
   * status may come before what led to it.
   */
  async heard(): Promise<number> {
    const told: number[] = [];
    await readEvents(this.control, false, ({ sequence }) => told.push(sequence));
    await eventually(`the events of ${this.node.name} are heard`, this.#startedMs, () => {
      const last = this.events.slice(this.#earlier).at(-1)?.sequence ?? -1;
      if (last < (told.at(-1) ?? -1)) throw new Error(`${last} of ${told.at(-1)}`);
    });
    return this.events.length;
  }

  status(): Promise<Status> {
    return requestStatus(this.control);
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new TypeError(`the agent on ${this.node.name} was not started`);
    return pid;
  }

  /** Pids of the supervisor and everything it started. */
  async pids(): Promise<readonly number[]> {
    const { processes } = await this.status();
    return Object.values(processes)
      .map(({ pid }) => pid)
      .filter((pid) => pid !== null);
  }

  /** Resolves with the exit status (or the signal's name) when the supervisor has ended. */
  async ended(): Promise<number | string | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode ?? child.signalCode;
  }

  stop(): Promise<number | string | null> {
    this.#child?.kill("SIGTERM");
    return this.ended();
  }

  /** SIGKILL to all of its processes at once: none has the time to see that another one is gone. */
  async killAll(): Promise<void> {
    const pids = await this.pids();
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await this.ended();
  }

  dispose(): void {
    const child = this.#child;
    const over = child?.exitCode !== null || child.signalCode !== null;
    if (!over && child.pid !== undefined) killFamily(child.pid);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ends a process and its children, who would write their state into a folder that is gone. */
function killFamily(pid: number): void {
  const family = [pid, ...childrenOf(pid)];
  for (const each of family) signal(each);
  const until = performance.now() + 2_000;
  while (family.some(runs) && performance.now() < until) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

const childrenOf = (pid: number): readonly number[] =>
  readProc(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number);

/** Not: it is gone, or nobody has asked yet how it ended. */
const runs = (pid: number): boolean => /\) [^Z]/.test(readProc(pid, "stat"));

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone.
  }
}
