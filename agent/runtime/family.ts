import type { Config } from "../config/config.ts";
import type { ProcessStatus } from "../control/protocol.ts";
import type { AcceptedConfig } from "./accepted.ts";
import { Child, DEFAULT_WATCH } from "./child.ts";
import type { EventReport, FromVrrp, LogLevel, Problem, ServiceRole } from "./ipc.ts";
import { IPC_VERSION } from "./ipc.ts";
import type { RunOptions } from "./options.ts";
import { RememberedSnapshot } from "./remembered-snapshot.ts";
import { removePidFile, writePidFile } from "./state-store.ts";
import type { SupervisorPorts } from "./supervisor.ts";
import type { Configured, NodeSnapshot } from "./vrrp-client.ts";
import { VrrpClient } from "./vrrp-client.ts";

/** What the children's parent hears of them. */
export interface FamilyEvents {
  report(report: EventReport): void;
  log(level: LogLevel, message: string): void;
  current(): AcceptedConfig | undefined;
  /** The first configuration runs. */
  ready(): void;
  /** The first configuration cannot run, or a process ended and is not to be started again. */
  failed(problem: Problem): void;
}

const REFRESH_LIMIT_MS = 5_000;

/** The processes that the supervisor keeps running, and what it asks of them. */
export class Family {
  readonly #ports: SupervisorPorts;
  readonly #options: RunOptions;
  readonly #events: FamilyEvents;
  readonly #children = new Map<ServiceRole, Child>();
  readonly #startedAt = new Map<ServiceRole, number>();
  readonly #client: VrrpClient;
  readonly #remembered = new RememberedSnapshot();
  #stopped: (() => void) | undefined;
  #stopping = false;
  #ready = false;
  /** The vrrp process that runs now has its configuration: what it says is worth remembering. */
  #configuredNow = false;

  constructor(options: RunOptions, ports: SupervisorPorts, events: FamilyEvents) {
    this.#ports = ports;
    this.#options = options;
    this.#events = events;
    this.#client = new VrrpClient(
      (message) => this.#children.get("vrrp")?.send(message),
      ports.later,
    );
    if (!options.directorOnly) this.#add("vrrp");
    if (!options.vrrpOnly) this.#add("director");
  }

  start(): void {
    for (const child of this.#children.values()) child.start();
  }

  /** Hands the accepted configuration to the vrrp process that runs now. */
  configure(): void {
    const accepted = this.#events.current();
    if (accepted === undefined) return;
    if (this.#children.get("vrrp") === undefined) {
      this.#configured();
      return;
    }
    void this.#client.configure(accepted.generation, accepted.config).then((answer) => {
      if (answer.ok) return this.#configured();
      const { problem } = answer;
      // If it ended, the next one is told the same.
      if (problem.code === "vrrp-process-ended") return;
      if (!this.#ready) return this.#events.failed(problem);
      this.#events.log("error", `${problem.message}; ${problem.remedy}`);
    });
  }

  async reconfigure(generation: number, config: Config): Promise<Configured> {
    if (this.#children.get("vrrp") === undefined) {
      return { ok: true, plan: { added: [], removed: [], replaced: [], kept: [] } };
    }
    const answer = await this.#client.configure(generation, config);
    if (answer.ok) this.#refresh();
    return answer;
  }

  async snapshot(limitMs: number): Promise<NodeSnapshot & { readonly current: boolean }> {
    if (this.#configuredNow) {
      const fresh = await this.#client.snapshot(limitMs);
      if (fresh !== undefined) {
        this.#remembered.replace(fresh);
        return { ...fresh, current: true };
      }
    }
    return { ...this.#remembered.snapshot, current: false };
  }

  journal(limitMs: number): Promise<string | undefined> {
    if (this.#children.get("vrrp")?.running !== true) return Promise.resolve(undefined);
    return this.#client.journal(limitMs);
  }

  processes(): Readonly<Record<ServiceRole, ProcessStatus>> {
    const status = (role: ServiceRole): ProcessStatus => {
      const child = this.#children.get(role);
      const startedAt = this.#startedAt.get(role) ?? null;
      return { pid: child?.pid ?? null, restarts: child?.restarts ?? 0, startedAt };
    };
    return { vrrp: status("vrrp"), director: status("director") };
  }

  /** Answers whether all ended by themselves within the time; those that did not are killed. */
  async stop(limitMs: number): Promise<boolean> {
    this.#stopping = true;
    for (const child of this.#children.values()) child.stop();
    let clean = true;
    const all = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    const cancel = this.#ports.later(limitMs, () => {
      clean = false;
      for (const child of this.#children.values()) child.kill();
    });
    this.#checkStopped();
    await all;
    cancel();
    return clean;
  }

  #add(role: ServiceRole): void {
    const { respawn } = this.#options;
    const child = new Child(role, this.#ports, DEFAULT_WATCH, respawn, {
      started: (pid) => this.#started(role, pid),
      message: (message) => this.#hear(role, message as FromVrrp),
      ended: (clean, cause, restartMs) => this.#ended(role, clean, cause, restartMs),
    });
    this.#children.set(role, child);
  }

  #started(role: ServiceRole, pid: number | undefined): void {
    this.#startedAt.set(role, this.#ports.wallClock());
    const path = this.#options.pidFiles[role];
    const problem = path === undefined || pid === undefined ? undefined : writePidFile(path, pid);
    if (problem !== undefined) this.#events.log("warn", `the pid file: ${problem}`);
    if (role === "vrrp") this.configure();
  }

  #hear(role: ServiceRole, message: FromVrrp): void {
    switch (message.kind) {
      case "event":
        if (role === "vrrp") this.#remembered.note(message.report);
        this.#events.report(message.report);
        break;
      case "log":
        this.#events.log(message.level, message.message);
        break;
      case "ready":
        if (message.version !== IPC_VERSION) {
          this.#events.log("error", "the program files changed while it ran: restart the agent");
        }
        return;
      default:
        if (role === "vrrp") this.#client.hear(message);
    }
  }

  #ended(role: ServiceRole, clean: boolean, cause: string, restartMs: number | undefined): void {
    if (role === "vrrp") {
      this.#configuredNow = false;
      this.#client.ended();
    }
    const path = this.#options.pidFiles[role];
    if (path !== undefined) removePidFile(path);
    if (this.#stopping) {
      this.#checkStopped();
      return;
    }
    const next = restartMs === undefined ? "" : `; the next one starts in ${restartMs} ms`;
    this.#events.report({
      at: this.#ports.wallClock(),
      kind: "process",
      level: clean ? "warn" : "error",
      subject: role,
      message: `the ${role} process ended (${cause})${next}`,
      detail: { cause, restartMs: restartMs ?? null },
    });
    if (restartMs !== undefined) return;
    this.#events.failed({
      code: "process-ended",
      message: `the ${role} process ended (${cause})`,
      remedy: "the lines before this one say why",
    });
  }

  #configured(): void {
    this.#configuredNow = this.#children.has("vrrp");
    this.#refresh();
    if (this.#ready) return;
    this.#ready = true;
    this.#events.ready();
  }

  /** So that there is something to show if the process dies before anybody asks. */
  #refresh(): void {
    void this.snapshot(REFRESH_LIMIT_MS);
  }

  #checkStopped(): void {
    if (![...this.#children.values()].some((child) => child.running)) this.#stopped?.();
  }
}
