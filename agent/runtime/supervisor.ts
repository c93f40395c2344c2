import type { RunOptions } from "../config/run-options.ts";
import type { DirectorCommand, LetterIds, ServerOrder, Status } from "../control/protocol.ts";
import { PROTOCOL_VERSION } from "../control/protocol.ts";
import type { ControlTarget, ReloadOutcome } from "../control/target.ts";
import { Accepted } from "./accepted.ts";
import type { ReadConfig } from "./config-source.ts";
import { readConfig } from "./config-source.ts";
import { diagnosticLine } from "./diagnostic-line.ts";
import { EventLog } from "./event-log.ts";
import { Family } from "./family.ts";
import type { EventReport, LogLevel, Problem, ServiceRole } from "./ipc.ts";
import { saidIfLong } from "./long-wait.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { PidFiles } from "./pid-files.ts";
import { ReadingMark } from "./reading-mark.ts";
import { routerSeries } from "./router-series.ts";
import { ScheduledReload } from "./scheduled-reload.ts";
import { storeSeries } from "./store-series.ts";
import type { SupervisorPorts } from "./supervisor-ports.ts";

const PID_DIRECTORY = "/run/keepalived";

/** A process that was silent may answer again soon: the manager's time runs meanwhile. */
const SILENCE_MS = 250;
const EVENTS_KEPT = 1_000;
const SNAPSHOT_LIMIT_MS = 500;
const JOURNAL_LIMIT_MS = 10_000;
/** A status is not to wait long for what is less important than routers. */
const DIRECTOR_LIMIT_MS = 200;
const COMMAND_LIMIT_MS = 5_000;
const EXIT_FAILED = 1;
const EXIT_REFUSED = 2;

const STOPPING: Problem = {
  code: "stopping",
  message: "the agent is stopping",
  remedy: "start it again",
};

/** The parent of all: starts the others, keeps them running, and answers for the agent as a whole. */
export class Supervisor implements ControlTarget {
  readonly events = new EventLog(EVENTS_KEPT);
  readonly #options: RunOptions;
  readonly #ports: SupervisorPorts;
  readonly #accepted: Accepted;
  readonly #family: Family;
  readonly #startedAt: number;
  readonly #pidFiles: PidFiles;
  readonly #scheduled: ScheduledReload;
  #end: (status: number) => void = () => undefined;
  #status: number | undefined;
  #cancelWatchdog: () => void = () => undefined;
  /** The first configuration was read, or given up. */
  readonly #begun: Promise<void>;
  #hasBegun: () => void = () => undefined;
  readonly #stopped = new AbortController();
  // However many ask: the vrrp process has advertisements to send.
  readonly #snapshots = new OneAtATime(() => this.#family.snapshot(SNAPSHOT_LIMIT_MS));
  readonly #journals = new OneAtATime(() => this.#family.journal(JOURNAL_LIMIT_MS));
  readonly #reloads = new OneAtATime(() => this.#reload());

  constructor(options: RunOptions, ports: SupervisorPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#startedAt = ports.wallClock();
    this.#begun = new Promise((resolve) => {
      this.#hasBegun = resolve;
    });
    this.#accepted = new Accepted(options.configFile, ports.state);
    this.#family = new Family(options, ports, {
      report: (report, from) => this.#report(report, from),
      log: (level, message) => this.#log(level, message),
      current: () => this.#accepted.current,
      snapshot: () => this.#snapshots.run(),
      started: (role, pid) => this.#pidFiles.started(role, pid),
      ended: (role) => this.#pidFiles.ended(role),
      ready: () => this.#ready(),
      failed: (problem) => this.#fail(problem, EXIT_FAILED),
    });
    const { pidDirectory = PID_DIRECTORY } = ports;
    this.#pidFiles = new PidFiles(options.pidFiles, pidDirectory, (message) =>
      this.#log("warn", message),
    );
    this.#scheduled = new ScheduledReload({
      later: ports.later,
      wallClock: ports.wallClock,
      log: (level, message) => this.#log(level, message),
      reload: () => void this.reload(),
    });
  }

  /** Runs until it is stopped, or cannot go on. Resolves with the exit status. */
  async run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#end = resolve;
    });
    this.#pidFiles.started("supervisor", this.#ports.pid);
    // All at once: the children load their code while the configuration is read.
    this.#family.start();
    this.#beatWatchdog();
    await this.#begin();
    this.#hasBegun();
    return ended;
  }

  async status(): Promise<Status> {
    const [snapshot, director] = await Promise.all([
      this.#snapshots.run(),
      this.#family.directorStatus(DIRECTOR_LIMIT_MS),
    ]);
    const { version, nodeVersion, pid } = this.#ports;
    return {
      protocol: PROTOCOL_VERSION,
      version,
      node: nodeVersion,
      routerId: this.#accepted.current?.config.global.routerId ?? null,
      processes: {
        supervisor: { pid, restarts: 0, startedAt: this.#startedAt },
        ...this.#family.processes(),
      },
      configuration: this.#accepted.status(),
      current: snapshot.current,
      routers: snapshot.routers,
      director: director ?? null,
      groups: snapshot.groups,
      bfd: snapshot.bfd,
      ...(this.#family.store && { store: this.#family.store }),
    };
  }

  async journal(): Promise<string> {
    return (await this.#journals.run()) ?? "";
  }

  async director(
    command: DirectorCommand,
    ids: LetterIds = "all",
    order?: ServerOrder,
  ): Promise<unknown> {
    const answer = await this.#family.directorCommand(command, ids, COMMAND_LIMIT_MS, order);
    if (command !== "metrics" || typeof answer !== "string") return answer;
    const { routers } = await this.#snapshots.run();
    return routerSeries(routers) + storeSeries(this.#family.store) + answer;
  }

  /** One runs at a time; those asked for meanwhile become one more, as they want the same file. */
  reload(): Promise<ReloadOutcome> {
    if (this.#reloads.nextWaits) {
      this.#log("info", "a reload is under way: the next one, now asked for, follows it");
    }
    return this.#reloads.run();
  }

  /** Lets the children resign and end, for as long as the configuration grants them. */
  stop(): void {
    if (this.#status === undefined) void this.#shutDown(0);
  }

  async #begin(): Promise<void> {
    const read = await this.#read();
    if (this.#status !== undefined) return;
    for (const diagnostic of read.diagnostics) this.#diagnose(diagnosticLine(diagnostic));
    if (read.ok) {
      this.#accepted.accept(read, this.#ports.wallClock());
    } else if (this.#accepted.recover(read.diagnostics, this.#ports.wallClock())) {
      this.#log("error", `${read.problem.message}; ${read.problem.remedy}`);
      this.#log("warn", "running on with the configuration that an earlier run had accepted");
    } else {
      return this.#fail(read.problem, EXIT_REFUSED);
    }
    this.#applyGlobal();
    this.#family.configure();
  }

  /** What the accepted configuration says of this process. */
  #applyGlobal(): void {
    const global = this.#accepted.current?.config.global;
    if (global === undefined) return;
    this.#ports.prepare(global);
    this.#pidFiles.configure(global);
    this.#scheduled.configure(global.reload);
  }

  async #reload(): Promise<ReloadOutcome> {
    const { notifier } = this.#ports;
    const { configFile } = this.#options;
    // At the start there is nothing yet that could be changed.
    await this.#sayWait(this.#begun, `until ${configFile} was read for the start`);
    if (this.#status === undefined) notifier.notify("RELOADING=1");
    const outcome = await this.#tryReload();
    if (this.#status === undefined) notifier.notify("READY=1");
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
    const mark = new ReadingMark(this.#accepted.current?.config.global.reload.lockFile);
    if (mark.problem !== undefined) this.#log("warn", `reload_file: ${mark.problem}`);
    const { configFile } = this.#options;
    const reader = `for the process that reads ${configFile} (a busy machine, or files that do not answer)`;
    const read = await this.#sayWait(this.#read(), reader);
    mark.remove();
    const { diagnostics } = read;
    const refuse = (problem: Problem): ReloadOutcome => {
      this.#accepted.refuse(diagnostics);
      const { generation } = this.#accepted;
      const message = `${problem.message}; ${problem.remedy}`;
      return { accepted: false, generation, diagnostics, message };
    };
    if (this.#status !== undefined) return refuse(STOPPING);
    if (!read.ok) return refuse(read.problem);
    const configured = await this.#sayWait(
      this.#family.reconfigure(this.#accepted.generation + 1, read.config),
      "for the vrrp process to take it up (after the startup script, where one runs)",
    );
    if (!configured.ok) return refuse(configured.problem);
    this.#saved(this.#accepted.accept(read, this.#ports.wallClock()));
    this.#applyGlobal();
    this.#family.accepted();
    const { generation } = this.#accepted;
    return { accepted: true, generation, diagnostics, plan: configured.plan };
  }

  #read(): Promise<ReadConfig> {
    return readConfig(this.#options, this.#ports, this.#stopped.signal);
  }

  /** So that nobody takes a reload for lost. */
  #sayWait<Answer>(work: Promise<Answer>, what: string): Promise<Answer> {
    return saidIfLong(this.#ports.later, work, () =>
      this.#log("warn", `the reload is under way, and waits ${what}`),
    );
  }

  #ready(): void {
    const { generation, current } = this.#accepted;
    if (current === undefined) return;
    this.#saved(this.#accepted.save());
    this.#ports.notifier.notify("READY=1");
    const count = current.config.instances.length;
    this.#report({
      at: this.#ports.wallClock(),
      kind: "configuration",
      level: "info",
      subject: this.#options.configFile,
      message: count === 1 ? "1 virtual router runs" : `${count} virtual routers run`,
      detail: { generation },
    });
  }

  #saved(problem: string | undefined): void {
    if (problem === undefined) return;
    const { stateDirectory } = this.#options;
    this.#log(
      "warn",
      `the accepted configuration cannot be kept in ${stateDirectory} (${problem}): after a crash the file is read ` +
        "anew, and nothing runs if it has an error then; make room there, or name a folder with --state",
    );
  }

  #fail(problem: Problem, status: number): void {
    if (this.#status !== undefined) return;
    this.#log("error", `${problem.message}; ${problem.remedy}`);
    void this.#shutDown(status);
  }

  async #shutDown(status: number): Promise<void> {
    this.#status = status;
    this.#scheduled.stop();
    this.#stopped.abort();
    this.#ports.notifier.notify("STOPPING=1");
    const limitMs = this.#accepted.childWaitMs;
    const script = this.#accepted.current?.config.notifications.shutdownScript;
    const clean = await this.#family.stop(limitMs, script);
    if (!clean) this.#log("error", `a process did not stop within ${limitMs} ms and was killed`);
    if (clean && status === 0) this.#ports.state.clear();
    this.#cancelWatchdog();
    this.#pidFiles.ended("supervisor");
    await this.#ports.log.flush();
    this.#end(status);
  }

  /** Only while addresses are looked after: else the manager shall start everything anew. */
  #beatWatchdog(): void {
    const { watchdogMs, notify } = this.#ports.notifier;
    if (watchdogMs === undefined) return;
    const { answers } = this.#family;
    if (answers) notify("WATCHDOG=1");
    const next = answers ? watchdogMs : Math.min(watchdogMs, SILENCE_MS);
    this.#cancelWatchdog = this.#ports.later(next, () => this.#beatWatchdog());
  }

  #report(report: EventReport, from?: ServiceRole): void {
    const { sequence, at, kind, subject, message, detail } = this.events.append(report);
    const fields = { sequence, kind, subject, ...detail };
    this.#ports.log.write({ level: report.level, at, message: `${subject}: ${message}`, fields });
    if (from !== "director") this.#family.tell(report);
  }

  #diagnose({ level, message }: { readonly level: LogLevel; readonly message: string }): void {
    this.#log(level, message);
  }

  #log(level: LogLevel, message: string): void {
    this.#ports.log.write({ level, at: this.#ports.wallClock(), message, fields: {} });
  }
}
