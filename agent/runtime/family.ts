import type { Config } from "../config/config.ts";
import type { TimedCommand } from "../config/notifications.ts";
import type { DirectorStatus, ProcessStatus } from "../control/protocol.ts";
import type { AcceptedConfig } from "./accepted.ts";
import { Child } from "./child.ts";
import { DirectorClient } from "./director-client.ts";
import { directorSettings, holdsPolicies } from "./director-settings.ts";
import type {
  EventReport,
  FromChild,
  FromDirector,
  FromVrrp,
  LogLevel,
  Problem,
  ServiceRole,
  ToDirector,
} from "./ipc.ts";
import { IPC_VERSION } from "./ipc.ts";
import { LastWills } from "./last-will.ts";
import type { RunOptions } from "./options.ts";
import { RememberedSnapshot } from "./remembered-snapshot.ts";
import type { SupervisorPorts } from "./supervisor.ts";
import type { Configured, NodeSnapshot } from "./vrrp-client.ts";
import { planForNone, VrrpClient } from "./vrrp-client.ts";
import { DEFAULT_WATCH, watchOf } from "./watch.ts";

/** What the children's parent hears of them. */
export interface FamilyEvents {
  /** `from`: who knows of it already. */
  report(report: EventReport, from?: ServiceRole): void;
  log(level: LogLevel, message: string): void;
  current(): AcceptedConfig | undefined;
  /** What `Family.snapshot` answers, for one of several who ask. */
  snapshot(): Promise<NodeSnapshot>;
  started(role: ServiceRole, pid: number | undefined): void;
  ended(role: ServiceRole): void;
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
  readonly #director: DirectorClient;
  readonly #remembered = new RememberedSnapshot();
  /** Who waits for a child to be gone for good. */
  readonly #leaving = new Map<ServiceRole, () => void>();
  #stopping = false;
  readonly #wills: LastWills;
  /** Where the vrrp process is, which stays there whatever it is told later. */
  #namespace: string | undefined;
  /** What is being done in the place of one that died. */
  #will: Promise<void> | undefined;
  /** What comes before the first router: the startup script. */
  #prelude: Promise<void> | undefined;
  #preludeOver = false;
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
    this.#director = new DirectorClient(
      (message) => this.#children.get("director")?.send(message),
      ports.later,
    );
    const log = (level: LogLevel, message: string) => events.log(level, message);
    this.#wills = new LastWills(ports.lastWill, ports.nowMs, log);
    if (!options.directorOnly) this.#add("vrrp");
    // Also beside a lone vrrp process, keepalived's -P: its scripts and notifications are run here.
    this.#add("director");
  }

  start(): void {
    for (const child of this.#children.values()) child.start();
  }

  /** Hands the accepted configuration to the processes that run now. */
  configure(): void {
    this.#configureDirector();
    const accepted = this.#events.current();
    if (accepted === undefined) return;
    const script = accepted.config.notifications.startupScript;
    if (script === undefined || this.#preludeOver) {
      this.#preludeOver = true;
      this.#configureVrrp();
      return;
    }
    // Whatever vrrp process runs at its end is configured then.
    this.#prelude ??= this.#startup(script).then(() => {
      this.#preludeOver = true;
      if (!this.#stopping) this.#configureVrrp();
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
    await this.#prelude;
    // Nobody who could refuse it: the next one starts from it.
    if (this.#children.get("vrrp")?.running !== true)
      return { ok: true, plan: planForNone(config) };
    const answer = await this.#tellVrrp(generation, config);
    if (answer.ok) this.#refresh();
    return answer;
  }

  /** Something happened, and the director does not know of it yet. */
  tell(report: EventReport): void {
    this.#director.event(report);
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

  /** `undefined`: the director does not answer. */
  directorStatus(limitMs: number): Promise<DirectorStatus | undefined> {
    return this.#director.status(limitMs);
  }

  /** Rejects with an Error for people when there is no answer. */
  directorCommand(...asked: Parameters<DirectorClient["command"]>): Promise<unknown> {
    return this.#director.command(...asked);
  }

  processes(): Readonly<Record<ServiceRole, ProcessStatus>> {
    const status = (role: ServiceRole): ProcessStatus => {
      const child = this.#children.get(role);
      const startedAt = this.#startedAt.get(role) ?? null;
      return { pid: child?.pid ?? null, restarts: child?.restarts ?? 0, startedAt };
    };
    return { vrrp: status("vrrp"), director: status("director") };
  }

  /**
   * The vrrp process first: the director tells others of its last transitions, and runs the script
   * when all else is over. Each has the time. Answers whether all ended by themselves within it; those
   * that did not are killed.
   */
  async stop(limitMs: number, script: TimedCommand | undefined): Promise<boolean> {
    this.#stopping = true;
    const resigned = await this.#stopChild("vrrp", limitMs, { kind: "stop" });
    if (script !== undefined && this.#children.get("director")?.running !== true) {
      this.#events.log("error", "the shutdown script was not run: the director does not run");
    }
    const scriptMs = (script?.timeout ?? 0) / 1_000;
    const stop =
      script === undefined ? { kind: "stop" as const } : { kind: "stop" as const, script };
    const told = await this.#stopChild("director", limitMs + scriptMs, stop);
    return resigned && told;
  }

  async #stopChild(role: ServiceRole, limitMs: number, message: StopMessage): Promise<boolean> {
    const child = this.#children.get(role);
    if (child === undefined) return true;
    child.stop(message);
    if (!child.running) {
      // The next one would have removed what its predecessor left.
      if (role === "vrrp" && child.died) await this.#inItsPlace();
      return true;
    }
    let clean = true;
    const gone = new Promise<void>((resolve) => {
      this.#leaving.set(role, resolve);
    });
    const cancel = this.#ports.later(limitMs, () => {
      clean = false;
      child.kill();
    });
    await gone;
    cancel();
    return clean;
  }

  #add(role: ServiceRole): void {
    const { respawn } = this.#options;
    const child = new Child(role, this.#ports, DEFAULT_WATCH, respawn, {
      started: (pid) => this.#started(role, pid),
      message: (message) => {
        if (role === "vrrp") this.#hearVrrp(message as FromVrrp);
        else this.#hearDirector(message as FromDirector);
      },
      ended: (clean, cause, restartMs) => this.#ended(role, clean, cause, restartMs),
    });
    this.#children.set(role, child);
  }

  #started(role: ServiceRole, pid: number | undefined): void {
    this.#startedAt.set(role, this.#ports.wallClock());
    this.#events.started(role, pid);
    if (role === "director") this.#configureDirector();
    if (role === "director" || this.#stopping) return;
    const { reportAddresses } = this.#options;
    if (reportAddresses) this.#children.get(role)?.send({ kind: "report-addresses" });
    if (this.#will === undefined) this.configure();
    else void this.#will.then(() => this.configure());
  }

  #configureDirector(): void {
    const current = this.#events.current();
    if (current === undefined || this.#children.get("director")?.running !== true) return;
    this.#director.configure(directorSettings(current, this.#options));
    if (this.#configuredNow) this.#director.vrrpConfigured();
  }

  #configureVrrp(): void {
    const accepted = this.#events.current();
    if (accepted === undefined) return;
    if (!this.#children.has("vrrp")) {
      this.#configured();
      return;
    }
    const { generation, config } = accepted;
    this.#namespace = config.global.netNamespace;
    void this.#tellVrrp(generation, config).then((answer) => {
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

  async #tellVrrp(generation: number, config: Config): Promise<Configured> {
    const child = this.#children.get("vrrp");
    child?.begins();
    const { reserved } = this.#wills;
    const wait = this.#awaitDirector();
    const answer = await this.#client.configure(generation, config, wait, reserved);
    child?.finished();
    if (answer.ok && child !== undefined) child.watch = watchOf(config);
    return answer;
  }

  /**
   * Does at once what the vrrp process can do no more. Whoever stops the agent waits for it, and virtual
   * links go then too.
   */
  #inItsPlace(): Promise<void> {
    const links = this.#stopping;
    const done = Promise.resolve(this.#will)
      .then(() => this.#wills.execute(this.#namespace, links))
      .then(() => {
        if (this.#will === done) this.#will = undefined;
      });
    this.#will = done;
    return done;
  }

  /** As in keepalived, its failure is told, and the start goes on. */
  async #startup(script: TimedCommand): Promise<void> {
    const outcome = await this.#director.runScript(script);
    if (outcome !== undefined) this.#events.log("error", `the startup script ${outcome}`);
  }

  #awaitDirector(): boolean {
    return holdsPolicies(this.#options.policiesDirectory);
  }

  #hearVrrp(message: FromVrrp): void {
    switch (message.kind) {
      case "configured":
      case "refused":
      case "snapshot":
      case "journal":
        this.#client.hear(message);
        break;
      case "wills":
        this.#wills.keep(message.entries);
        break;
      case "event":
        this.#remembered.note(message.report);
        this.#events.report(message.report);
        break;
      case "mandate-wanted":
      case "mandate-unwanted":
        break;
      default:
        this.#hear(message);
    }
  }

  #hearDirector(message: FromDirector): void {
    switch (message.kind) {
      case "readings":
      case "claims":
        this.#children.get("vrrp")?.send(message);
        break;
      case "snapshot":
        void this.#events
          .snapshot()
          .then((snapshot) => this.#director.snapshot(message.id, snapshot));
        break;
      case "told":
        this.#director.told(message.nth);
        break;
      case "director-status":
      case "answer":
      case "no-answer":
      case "script-ended":
        this.#director.hear(message);
        break;
      case "event":
        this.#events.report(message.report, "director");
        break;
      default:
        this.#hear(message);
    }
  }

  #hear(message: FromChild): void {
    if (message.kind === "log") this.#events.log(message.level, message.message);
    if (message.kind !== "ready" || message.version === IPC_VERSION) return;
    this.#events.log("error", "the program files changed while it ran: restart the agent");
  }

  #ended(role: ServiceRole, clean: boolean, cause: string, restartMs: number | undefined): void {
    if (role === "vrrp") {
      this.#configuredNow = false;
      // First of all: peers wait for it.
      if (!clean || this.#wills.any) void this.#inItsPlace();
      this.#client.ended();
    } else {
      this.#director.ended();
      this.#children.get("vrrp")?.send({ kind: "director-lost" });
    }
    this.#events.ended(role);
    if (this.#stopping) {
      void Promise.resolve(this.#will).then(() => this.#leaving.get(role)?.());
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
    if (this.#configuredNow) this.#director.vrrpConfigured();
    this.#refresh();
    if (this.#ready) return;
    this.#ready = true;
    this.#events.ready();
  }

  /** So that there is something to show if the process dies before anybody asks. */
  #refresh(): void {
    void this.snapshot(REFRESH_LIMIT_MS);
  }
}

type StopMessage = Extract<ToDirector, { readonly kind: "stop" }>;
