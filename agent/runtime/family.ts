import { randomBytes } from "node:crypto";
import type { Config } from "../config/config.ts";
import type { TimedCommand } from "../config/notifications.ts";
import type { RunOptions } from "../config/run-options.ts";
import type { DirectorStatus, Status } from "../control/protocol.ts";
import type { AcceptedConfig } from "./accepted.ts";
import { DirectorClient } from "./director-client.ts";
import { directorSettings, holdsPolicies } from "./director-settings.ts";
import { fenceInProcess } from "./fence-source.ts";
import { longestLifetime } from "./fencing/lifetimes.ts";
import type {
  EventReport,
  FromChild,
  FromDirector,
  FromVrrp,
  FromWitness,
  LogLevel,
  Problem,
  ServiceRole,
} from "./ipc.ts";
import { IPC_VERSION } from "./ipc.ts";
import { Kin } from "./kin.ts";
import { LastWills } from "./last-will.ts";
import { Prelude } from "./prelude.ts";
import { processEnd } from "./process-end.ts";
import { RememberedSnapshot } from "./remembered-snapshot.ts";
import type { SupervisorPorts } from "./supervisor-ports.ts";
import type { Configured, NodeSnapshot } from "./vrrp-client.ts";
import { planForNone, VrrpClient } from "./vrrp-client.ts";
import { watchOf } from "./watch.ts";
import { isOfMandates, WitnessClient, witnessSettings } from "./witness-client.ts";

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
  readonly #kin: Kin;
  readonly #client: VrrpClient;
  readonly #director: DirectorClient;
  readonly #witness: WitnessClient;
  /** Tells this run of the agent from those of other nodes. */
  readonly #tag = randomBytes(4).toString("hex");
  readonly #remembered = new RememberedSnapshot();
  #stopping = false;
  readonly #wills: LastWills;
  /** Where the vrrp process is, which stays there whatever it is told later. */
  #namespace: string | undefined;
  readonly #prelude: Prelude;
  #ready = false;
  /** The vrrp process that runs now has its configuration: what it says is worth remembering. */
  #configuredNow = false;
  /** It was told what to run. */
  #told = false;

  constructor(options: RunOptions, ports: SupervisorPorts, events: FamilyEvents) {
    this.#ports = ports;
    this.#options = options;
    this.#events = events;
    this.#kin = new Kin(ports, options.respawn, {
      started: (role, pid) => this.#started(role, pid),
      message: (role, message) => this.#heard(role, message),
      ended: (...how) => this.#ended(...how),
    });
    this.#client = new VrrpClient((message) => this.#kin.send("vrrp", message), ports.later);
    this.#director = new DirectorClient(
      (message) => this.#kin.send("director", message),
      ports.later,
    );
    this.#witness = new WitnessClient(
      (message) => this.#kin.send("witness", message),
      (message) => this.#kin.send("vrrp", message),
      (devices) => fenceInProcess(devices, events.current(), ports),
    );
    const log = (level: LogLevel, message: string) => events.log(level, message);
    this.#wills = new LastWills(ports.lastWill, ports, log);
    this.#prelude = new Prelude(
      (script) => this.#director.runScript(script),
      (outcome) => log("error", `the startup script ${outcome}`),
    );
    if (!options.directorOnly) this.#kin.add("vrrp");
    // Also beside a lone vrrp process, keepalived's -P: its scripts and notifications are run here.
    this.#kin.add("director");
  }

  start(): void {
    this.#kin.start();
  }

  /** Hands the accepted configuration to the processes that run now. */
  configure(): void {
    this.accepted();
    const accepted = this.#events.current();
    if (accepted === undefined) return;
    // Whatever vrrp process runs at its end is configured then.
    this.#prelude.before(accepted.config.notifications.startupScript, () => {
      if (!this.#stopping) this.#configureVrrp();
    });
  }

  /** The process that holds the addresses answers; or it is not to run. */
  get answers(): boolean {
    return this.#kin.get("vrrp")?.answers ?? true;
  }

  /** What was accepted is in force: director and witness process hear their parts. */
  accepted(): void {
    this.#configureDirector();
    this.#configureWitness();
  }

  async reconfigure(generation: number, config: Config): Promise<Configured> {
    await this.#prelude.done;
    // Nobody who could refuse it: the next one starts from it, or who waits for its predecessor's will.
    if (!this.#told) return { ok: true, plan: planForNone(config) };
    this.#witness.hold();
    const answer = await this.#tellVrrp(generation, config);
    if (answer.ok) this.#refresh();
    else this.#witness.goOn();
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
    if (!this.#kin.running("vrrp")) return Promise.resolve(undefined);
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

  /** `undefined`: no group needs a lease, or nothing is known of the store. */
  get store(): Status["store"] {
    return this.#witness.store;
  }

  processes(): ReturnType<Kin["statuses"]> {
    return this.#kin.statuses();
  }

  /**
   * The vrrp process first: the director tells others of its last transitions, and runs the script
   * when all else is over; and leases go back when nothing is held any more. Each has the time. Answers
   * whether all ended by themselves within it; those that did not are killed.
   */
  async stop(limitMs: number, script: TimedCommand | undefined): Promise<boolean> {
    this.#stopping = true;
    const resigned = await this.#stopVrrp(limitMs);
    // Leases run out by themselves where somebody may still hold what they are for.
    if (!this.#wills.complete) this.#kin.get("witness")?.kill();
    const returned = await this.#kin.stop("witness", limitMs, { kind: "stop" });
    if (script !== undefined && !this.#kin.running("director")) {
      this.#events.log("error", "the shutdown script was not run: the director does not run");
    }
    const scriptMs = (script?.timeout ?? 0) / 1_000;
    const stop =
      script === undefined ? { kind: "stop" as const } : { kind: "stop" as const, script };
    const told = await this.#kin.stop("director", limitMs + scriptMs, stop);
    return resigned && returned && told;
  }

  async #stopVrrp(limitMs: number): Promise<boolean> {
    const child = this.#kin.get("vrrp");
    const ran = child?.running === true;
    const clean = await this.#kin.stop("vrrp", limitMs, { kind: "stop" });
    // The next one would have removed what its predecessor left.
    if (!ran && child?.died === true) await this.#inItsPlace();
    return clean;
  }

  #started(role: ServiceRole, pid: number | undefined): void {
    this.#events.started(role, pid);
    if (role === "director") this.#configureDirector();
    if (role === "witness") this.#configureWitness();
    if (role !== "vrrp" || this.#stopping) return;
    if (this.#options.reportAddresses) this.#kin.send(role, { kind: "report-addresses" });
    this.#wills.afterwards(() => this.configure());
  }

  #configureDirector(): void {
    const current = this.#events.current();
    if (current === undefined || !this.#kin.running("director")) return;
    this.#director.configure(directorSettings(current, this.#options));
    if (this.#configuredNow) this.#director.vrrpConfigured();
  }

  /** It runs only where there is something for it to do. */
  #configureWitness(): void {
    const current = this.#events.current();
    if (current === undefined || this.#stopping || this.#options.directorOnly) return;
    const settings = witnessSettings(current, this.#tag);
    if (settings === undefined) this.#kin.dismiss("witness");
    else if (this.#kin.get("witness") === undefined) this.#kin.add("witness").start();
    else if (this.#kin.running("witness")) this.#witness.configure(settings);
  }

  #configureVrrp(): void {
    const accepted = this.#events.current();
    if (accepted === undefined) return;
    const child = this.#kin.get("vrrp");
    if (child === undefined) this.#configured();
    if (this.#told || child?.running !== true) return;
    this.#told = true;
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
      this.#kin.get("vrrp")?.kill();
    });
  }

  async #tellVrrp(generation: number, config: Config): Promise<Configured> {
    const child = this.#kin.get("vrrp");
    child?.begins();
    const { reserved } = this.#wills;
    const wait = holdsPolicies(this.#options.policiesDirectory);
    const answer = await this.#client.configure(generation, config, wait, reserved);
    child?.finished();
    if (answer.ok && child !== undefined) child.watch = watchOf(config);
    return answer;
  }

  /**
   * Does at once what the vrrp process can do no more. Whoever stops the agent waits for it, and virtual
   * links go then too. Before one was configured, what is there may be another agent's.
   */
  async #inItsPlace(): Promise<void> {
    if (!this.#ready && !this.#wills.any) return;
    const lifetime = longestLifetime(this.#events.current()?.config.instances);
    await this.#wills.begin(this.#namespace, this.#stopping, lifetime / 1_000);
    // What may still be there is not another node's yet.
    if (this.#wills.complete) this.#witness.nobodyWants();
  }

  #heard(role: ServiceRole, message: unknown): void {
    if (role === "vrrp") this.#hearVrrp(message as FromVrrp);
    else if (role === "director") this.#hearDirector(message as FromDirector);
    else this.#hearWitness(message as FromWitness);
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
        this.#witness.wish(message);
        break;
      default:
        this.#hear(message);
    }
  }

  #hearDirector(message: FromDirector): void {
    switch (message.kind) {
      case "readings":
      case "claims":
        this.#kin.send("vrrp", message);
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

  #hearWitness(message: FromWitness): void {
    if (message.kind === "event") this.#events.report(message.report);
    else if (isOfMandates(message)) this.#witness.hear(message);
    else this.#hear(message);
  }

  #hear(message: FromChild): void {
    if (message.kind === "log") this.#events.log(message.level, message.message);
    if (message.kind !== "ready" || message.version === IPC_VERSION) return;
    this.#events.log("error", "the program files changed while it ran: restart the agent");
  }

  #ended(role: ServiceRole, clean: boolean, cause: string, restartMs: number | undefined): void {
    if (role === "vrrp") this.#vrrpEnded(clean);
    if (role === "witness") this.#witness.ended();
    if (role === "director") {
      this.#director.ended();
      this.#kin.send("vrrp", { kind: "director-lost" });
    }
    this.#events.ended(role);
    if (this.#kin.wasDismissed(role) && !this.#stopping) {
      // It may be wanted again by now.
      this.#configureWitness();
      return;
    }
    if (this.#stopping) {
      void Promise.resolve(this.#wills.underWay).then(() => this.#kin.left(role));
      return;
    }
    const at = this.#ports.wallClock();
    this.#events.report(processEnd(role, { clean, cause, restartMs }, at));
    if (restartMs !== undefined) return;
    this.#events.failed({
      code: "process-ended",
      message: `the ${role} process ended (${cause})`,
      remedy: "the lines before this one say why",
    });
  }

  #vrrpEnded(clean: boolean): void {
    this.#configuredNow = false;
    this.#told = false;
    // First of all: peers wait for it.
    if (!clean || this.#wills.any) void this.#inItsPlace();
    else this.#witness.nobodyWants();
    this.#client.ended();
  }

  #configured(): void {
    this.#configuredNow = this.#kin.get("vrrp") !== undefined;
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
