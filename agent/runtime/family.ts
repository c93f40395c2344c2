import type { Config } from "../config/config.ts";
import type { ProcessStatus } from "../control/protocol.ts";
import type { ReloadPlan } from "../control/target.ts";
import type { AcceptedConfig } from "./accepted.ts";
import { Child, DEFAULT_WATCH } from "./child.ts";
import { directorSettings } from "./director-settings.ts";
import type { EventReport, FromVrrp, LogLevel, Problem, ServiceRole } from "./ipc.ts";
import { IPC_VERSION } from "./ipc.ts";
import type { RunOptions } from "./options.ts";
import { RememberedSnapshot } from "./remembered-snapshot.ts";
import type { SupervisorPorts } from "./supervisor.ts";
import type { Configured, NodeSnapshot } from "./vrrp-client.ts";
import { VrrpClient } from "./vrrp-client.ts";

/** What the children's parent hears of them. */
export interface FamilyEvents {
  report(report: EventReport): void;
  log(level: LogLevel, message: string): void;
  current(): AcceptedConfig | undefined;
  started(role: ServiceRole, pid: number | undefined): void;
  ended(role: ServiceRole): void;
  /** The first configuration runs. */
  ready(): void;
  /** The first configuration cannot run, or a process ended and is not to be started again. */
  failed(problem: Problem): void;
}

const REFRESH_LIMIT_MS = 5_000;
const SWEEP_LIMIT_MS = 5_000;

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
  /** A process was started to clear up after one that died; there is no second one. */
  #swept = false;
  #cancelSweep: () => void = () => undefined;
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

  /** Hands the accepted configuration to the processes that run now. */
  configure(): void {
    this.#configureDirector();
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
      // It ran before: what the host refuses now it may grant to the next one.
      this.#events.log("error", `${problem.message}; ${problem.remedy}`);
      this.#children.get("vrrp")?.kill();
    });
  }

  /** The process that holds the addresses answers; or it is not to run. */
  get answers(): boolean {
    return this.#children.get("vrrp")?.answers ?? true;
  }

  /** What was accepted is in force: the director hears its part. */
  accepted(): void {
    this.#configureDirector();
  }

  async reconfigure(generation: number, config: Config): Promise<Configured> {
    // Nobody who could refuse it: the next one starts from it.
    if (this.#children.get("vrrp")?.running !== true)
      return { ok: true, plan: planForNone(config) };
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
    this.#sweep();
    this.#checkStopped();
    await all;
    cancel();
    this.#cancelSweep();
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
    this.#events.started(role, pid);
    if (this.#stopping) return;
    const { reportAddresses } = this.#options;
    if (role === "vrrp" && reportAddresses) {
      this.#children.get(role)?.send({ kind: "report-addresses" });
    }
    if (role === "vrrp") this.configure();
    else this.#configureDirector();
  }

  #configureDirector(): void {
    const current = this.#events.current();
    if (current === undefined) return;
    const settings = directorSettings(current, this.#options);
    this.#children.get("director")?.send({ kind: "configure", settings });
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
    this.#events.ended(role);
    if (this.#stopping) {
      this.#sweep();
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

  /**
   * A vrrp process that was killed leaves addresses behind, and a peer has them by now. Every new one
   * removes such leftovers first of all: so one more is started, and stopped.
   */
  #sweep(): void {
    const vrrp = this.#children.get("vrrp");
    if (vrrp === undefined || vrrp.running || !vrrp.died || this.#swept) return;
    this.#swept = true;
    const config = this.#events.current()?.config;
    vrrp.start();
    this.#cancelSweep = this.#ports.later(SWEEP_LIMIT_MS, () => vrrp.kill());
    if (config?.global.netNamespace === undefined) vrrp.stop();
    else void this.#client.configure(0, withoutRouters(config)).then(() => vrrp.stop());
  }

  #checkStopped(): void {
    if (![...this.#children.values()].some((child) => child.running)) this.#stopped?.();
  }
}

const planForNone = ({ instances }: Config): ReloadPlan => ({
  added: instances.map(({ router }) => router.name),
  removed: [],
  replaced: [],
  kept: [],
});

/** What leads the process to the same network namespace, and to nothing else. */
const withoutRouters = (config: Config): Config => ({
  ...config,
  instances: [],
  syncGroups: [],
  staticAddresses: [],
  staticRoutes: [],
  staticRules: [],
  trackGroups: [],
});
