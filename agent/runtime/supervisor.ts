import type { Status } from "../control/protocol.ts";
import { PROTOCOL_VERSION } from "../control/protocol.ts";
import type { ControlTarget, ReloadOutcome } from "../control/target.ts";
import type { Later, ServiceNotifier, StartProcess } from "../ports/processes.ts";
import { Accepted } from "./accepted.ts";
import { readConfig } from "./config-source.ts";
import { diagnosticLine } from "./diagnostic-line.ts";
import { EventLog } from "./event-log.ts";
import { Family } from "./family.ts";
import type { EventReport, LogLevel, Problem, Role } from "./ipc.ts";
import type { Log } from "./log.ts";
import type { RunOptions } from "./options.ts";
import type { StateStore } from "./state-store.ts";
import { removePidFile, writePidFile } from "./state-store.ts";

/** What the supervisor needs of the world. */
export interface SupervisorPorts {
  readonly start: StartProcess<Role>;
  readonly later: Later;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  readonly wallClock: () => number;
  readonly pid: number;
  readonly version: string;
  readonly nodeVersion: string;
  readonly log: Log;
  readonly notifier: ServiceNotifier;
  readonly state: StateStore;
}

const EVENTS_KEPT = 1_000;
const SNAPSHOT_LIMIT_MS = 500;
const JOURNAL_LIMIT_MS = 10_000;
const EXIT_FAILED = 1;
const EXIT_REFUSED = 2;

/** The parent of all: starts the others, keeps them running, and answers for the agent as a whole. */
export class Supervisor implements ControlTarget {
  readonly events = new EventLog(EVENTS_KEPT);
  readonly #options: RunOptions;
  readonly #ports: SupervisorPorts;
  readonly #accepted: Accepted;
  readonly #family: Family;
  readonly #startedAt: number;
  #end: (status: number) => void = () => undefined;
  #status: number | undefined;
  #cancelWatchdog: () => void = () => undefined;
  #reloading: Promise<ReloadOutcome> | undefined;
  #queued: Promise<ReloadOutcome> | undefined;

  constructor(options: RunOptions, ports: SupervisorPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#startedAt = ports.wallClock();
    this.#accepted = new Accepted(options.configFile, ports.state);
    this.#family = new Family(options, ports, {
      report: (report) => this.#report(report),
      log: (level, message) => this.#log(level, message),
      current: () => this.#accepted.current,
      ready: () => this.#ready(),
      failed: (problem) => this.#fail(problem, EXIT_FAILED),
    });
  }

  /** Runs until it is stopped, or cannot go on. Resolves with the exit status. */
  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    this.#writePidFile();
    this.#beatWatchdog();
    // All at once: the children load their code while the configuration is read.
    this.#family.start();
    await this.#begin();
    return ended;
  }

  async status(): Promise<Status> {
    const snapshot = await this.#family.snapshot(SNAPSHOT_LIMIT_MS);
    const { version, nodeVersion, pid } = this.#ports;
    return {
      protocol: PROTOCOL_VERSION,
      version,
      node: nodeVersion,
      processes: {
        supervisor: { pid, restarts: 0, startedAt: this.#startedAt },
        ...this.#family.processes(),
      },
      configuration: this.#accepted.status(),
      current: snapshot.current,
      routers: snapshot.routers,
      groups: snapshot.groups,
    };
  }

  async journal(): Promise<string> {
    return (await this.#family.journal(JOURNAL_LIMIT_MS)) ?? "";
  }

  /** One runs at a time; those asked for meanwhile become one more, as they want the same file. */
  reload(): Promise<ReloadOutcome> {
    if (this.#reloading === undefined) {
      const running = this.#reload().finally(() => {
        this.#reloading = undefined;
      });
      this.#reloading = running;
      return running;
    }
    this.#queued ??= this.#reloading.then(() => {
      this.#queued = undefined;
      return this.reload();
    });
    return this.#queued;
  }

  /** Lets the children resign and end, for as long as the configuration grants them. */
  stop(): void {
    if (this.#status === undefined) void this.#shutDown(0);
  }

  async #begin(): Promise<void> {
    const read = await readConfig(this.#options, this.#ports.start);
    if (this.#status !== undefined) return;
    for (const diagnostic of read.diagnostics) this.#diagnose(diagnosticLine(diagnostic));
    if (read.ok) {
      this.#accepted.accept(read.config, read.diagnostics, this.#ports.wallClock());
    } else if (this.#accepted.recover(read.diagnostics, this.#ports.wallClock())) {
      this.#log("error", `${read.problem.message}; ${read.problem.remedy}`);
      this.#log("warn", "running on with the configuration that an earlier run had accepted");
    } else {
      return this.#fail(read.problem, EXIT_REFUSED);
    }
    this.#family.configure();
  }

  async #reload(): Promise<ReloadOutcome> {
    const { notifier, nowMs } = this.#ports;
    notifier.notify(`RELOADING=1\nMONOTONIC_USEC=${Math.round(nowMs() * 1_000)}`);
    const outcome = await this.#tryReload();
    notifier.notify("READY=1");
    const { configFile } = this.#options;
    const { generation } = outcome;
    for (const diagnostic of outcome.diagnostics) this.#diagnose(diagnosticLine(diagnostic));
    this.#report({
      at: this.#ports.wallClock(),
      kind: "configuration",
      level: outcome.accepted ? "info" : "error",
      subject: configFile,
      message: outcome.accepted
        ? `accepted as generation ${generation}`
        : `refused, generation ${generation} runs on: ${outcome.message}`,
      detail: outcome.accepted ? { generation, ...outcome.plan } : { generation },
    });
    return outcome;
  }

  async #tryReload(): Promise<ReloadOutcome> {
    const read = await readConfig(this.#options, this.#ports.start);
    const { diagnostics } = read;
    const refuse = (problem: Problem): ReloadOutcome => {
      this.#accepted.refuse(diagnostics);
      const { generation } = this.#accepted;
      const message = `${problem.message}; ${problem.remedy}`;
      return { accepted: false, generation, diagnostics, message };
    };
    if (!read.ok) return refuse(read.problem);
    const configured = await this.#family.reconfigure(this.#accepted.generation + 1, read.config);
    if (!configured.ok) return refuse(configured.problem);
    this.#saved(this.#accepted.accept(read.config, diagnostics, this.#ports.wallClock()));
    const { generation } = this.#accepted;
    return { accepted: true, generation, diagnostics, plan: configured.plan };
  }

  #ready(): void {
    const { generation, current } = this.#accepted;
    if (current === undefined) return;
    this.#saved(this.#accepted.save());
    this.#ports.notifier.notify("READY=1");
    this.#report({
      at: this.#ports.wallClock(),
      kind: "configuration",
      level: "info",
      subject: this.#options.configFile,
      message: `${current.config.instances.length} virtual routers run`,
      detail: { generation },
    });
  }

  #saved(problem: string | undefined): void {
    if (problem !== undefined) this.#log("warn", `the state directory: ${problem}`);
  }

  #fail(problem: Problem, status: number): void {
    if (this.#status !== undefined) return;
    this.#log("error", `${problem.message}; ${problem.remedy}`);
    void this.#shutDown(status);
  }

  async #shutDown(status: number): Promise<void> {
    this.#status = status;
    this.#ports.notifier.notify("STOPPING=1");
    const limitMs = this.#accepted.childWaitMs;
    const clean = await this.#family.stop(limitMs);
    if (!clean) this.#log("error", `a process did not stop within ${limitMs} ms and was killed`);
    if (clean && status === 0) this.#ports.state.clear();
    this.#cancelWatchdog();
    const { supervisor: pidFile } = this.#options.pidFiles;
    if (pidFile !== undefined) removePidFile(pidFile);
    await this.#ports.log.flush();
    this.#end(status);
  }

  #writePidFile(): void {
    const { supervisor: path } = this.#options.pidFiles;
    const problem = path === undefined ? undefined : writePidFile(path, this.#ports.pid);
    if (problem !== undefined) this.#log("warn", `the pid file: ${problem}`);
  }

  #beatWatchdog(): void {
    const { watchdogMs, notify } = this.#ports.notifier;
    if (watchdogMs === undefined) return;
    notify("WATCHDOG=1");
    this.#cancelWatchdog = this.#ports.later(watchdogMs, () => this.#beatWatchdog());
  }

  #report(report: EventReport): void {
    const { sequence, at, kind, subject, message, detail } = this.events.append(report);
    const fields = { sequence, kind, subject, ...detail };
    this.#ports.log.write({ level: report.level, at, message: `${subject}: ${message}`, fields });
  }

  #diagnose({ level, message }: { readonly level: LogLevel; readonly message: string }): void {
    this.#log(level, message);
  }

  #log(level: LogLevel, message: string): void {
    this.#ports.log.write({ level, at: this.#ports.wallClock(), message, fields: {} });
  }
}
