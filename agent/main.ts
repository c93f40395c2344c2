import { createHmac, randomInt } from "node:crypto";
import { readFileSync, realpathSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import type { Config, GlobalConfig, NetlinkReceiveBuffers } from "./config/config.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { RunOptions } from "./config/run-options.ts";
import type { LastWill } from "./ports/last-will.ts";
import type { Later } from "./ports/processes.ts";
import type { Role } from "./runtime/ipc.ts";
import type { Log } from "./runtime/log.ts";
import type { World } from "./runtime/world.ts";
import type { Hmac } from "./wire/hmac.ts";

type LoadRequest = Pick<
  RunOptions,
  "configFile" | "configId" | "includesMustExist" | "settingsFile"
>;

// The composition root: the one place that knows every implementation. Each role loads its own code
// only, so that the vrrp process is small and starts fast.

const program = realpathSync(import.meta.filename);

const later: Later = (delayMs, then) => {
  const timeout = setTimeout(then, delayMs);
  return () => clearTimeout(timeout);
};

const hmac: Hmac = (algorithm, key, data) => createHmac(algorithm, key).update(data).digest();

const yieldTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Addresses, sockets and packet filter; priorities, limits and locked memory, which a reload may change. */
const VRRP_CAPABILITIES = ["netAdmin", "netRaw", "sysNice", "ipcLock", "sysResource"] as const;

/** Below this only what must never be killed: systemd uses it for what it cannot do without. */
const LAST_TO_BE_KILLED = -900;

/** Without it Node opens its debugger on SIGUSR1, until a process has its own handler. */
const withoutDebugger: readonly string[] = process.allowedNodeEnvironmentFlags.has(
  "--disable-sigusr1",
)
  ? ["--disable-sigusr1"]
  : [];

/** From sources, types that were stripped once are kept. */
const strippedTypes: readonly string[] = program.endsWith(".ts")
  ? ["--import", new URL("strip-cache.mjs", import.meta.url).href]
  : [];

/**
 * What each role is started with. A small young generation keeps the vrrp process's pauses short; one
 * thread collects it, as waiting for more of them costs a busy machine more than they save. The
 * director's would grow while policies load, and stay as large.
 */
const nodeArguments: Readonly<Record<Role, readonly string[]>> = {
  vrrp: [
    "--max-semi-space-size=2",
    "--single-threaded-gc",
    "--max-old-space-size=512",
    ...withoutDebugger,
    ...strippedTypes,
  ],
  director: ["--max-semi-space-size=2", ...withoutDebugger, ...strippedTypes],
  witness: [
    "--max-semi-space-size=2",
    "--single-threaded-gc",
    "--max-old-space-size=256",
    ...withoutDebugger,
    ...strippedTypes,
  ],
  config: ["--max-old-space-size=4096", ...withoutDebugger, ...strippedTypes],
  fence: ["--max-semi-space-size=2", ...withoutDebugger, ...strippedTypes],
};

export function version(): string {
  const file = new URL("../package.json", import.meta.url);
  const { version: text } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return text;
}

/** Runs the agent until it is told to stop. Answers the exit status. Throws a KernelError. */
export async function runSupervisor(options: RunOptions): Promise<number> {
  // What is asked for before the files are read is done by that, and is not to end the process.
  let reload = (): void => undefined;
  process.on("SIGHUP", () => reload());
  const [
    { Supervisor },
    { StateStore },
    { openLog },
    { processStarter },
    { serveControl },
    { serviceNotifier, withoutNotifier },
    { ignoreRealtimeSignals, nameProcess },
  ] = await Promise.all([
    import("./runtime/supervisor.ts"),
    import("./runtime/state-store.ts"),
    import("./runtime/log-output.ts"),
    import("./linux/processes.ts"),
    import("./control/server.ts"),
    import("./linux/service-notifier.ts"),
    import("./linux/process-identity.ts"),
  ]);
  ignoreRealtimeSignals();
  const console = openLog(options.logFormat, options.logDetail, process.stdout.isTTY === true);
  const log = await alsoToSyslog(console, options.syslogFacility);
  const supervisor = new Supervisor(options, {
    start: processStarter<Role>(program, nodeArguments, withoutNotifier(process.env)),
    later,
    nowMs: () => performance.now(),
    wallClock: () => Date.now(),
    pid: process.pid,
    version: version(),
    nodeVersion: process.versions.node,
    log,
    notifier: serviceNotifier(process.env, process.pid),
    state: new StateStore(options.stateDirectory, version()),
    lastWill: lastWill(),
    prepare: supervisorSettings(options, nameProcess),
  });
  // First of all, as it is the lock too: a second agent would take the first one's addresses away.
  const server = await serveControl({
    path: options.controlSocket,
    target: supervisor,
    log: (message) => log.write({ level: "warn", at: Date.now(), message, fields: {} }),
  });
  reload = () => void supervisor.reload();
  process.on("SIGTERM", () => supervisor.stop());
  process.on("SIGINT", () => supervisor.stop());
  for (const signal of DUMP_SIGNALS) process.on(signal, () => pointToStatus(signal, log));
  const status = await supervisor.run();
  await server.close();
  return status;
}

/** Loaded with the first will: who holds nothing has nothing to let go of. */
function lastWill(): LastWill {
  const load = () => import("./linux/last-will.ts");
  let rehearsed = false;
  return {
    prepare: () => {
      if (rehearsed) return;
      rehearsed = true;
      void load().then(({ rehearse }) => rehearse());
    },
    execute: async (request) => (await load()).executeWill(request),
  };
}

/** Name and umask of this process, by each configuration; the command line's -u wins. */
function supervisorSettings(options: RunOptions, nameProcess: (name: string) => void) {
  const umask = options.umask ?? process.umask();
  return ({ processNames, umask: wanted }: GlobalConfig): void => {
    if (processNames.supervisor !== undefined) nameProcess(processNames.supervisor);
    process.umask(options.umask ?? wanted ?? umask);
  };
}

/** keepalived writes files to /tmp on these; here nothing may end or open a debugger by them. */
const DUMP_SIGNALS = ["SIGUSR1", "SIGUSR2"] as const;

function pointToStatus(signal: string, log: Log): void {
  const message = `${signal}: there are no dump files; \`holdfast status --json\` has it all`;
  log.write({ level: "info", at: Date.now(), message, fields: {} });
}

/** keepalived's -S: the same lines to the local syslog daemon. */
async function alsoToSyslog(log: Log, facility: number | undefined): Promise<Log> {
  if (facility === undefined) return log;
  const { openSyslog } = await import("./linux/syslog.ts");
  const syslog = openSyslog(facility, "holdfast", process.pid);
  return {
    write: (line) => {
      log.write(line);
      const severity = line.level === "warn" ? "warning" : line.level;
      syslog.write(severity, line.message, line.at);
    },
    flush: () => log.flush(),
  };
}

async function runVrrp(): Promise<void> {
  const [{ VrrpProcess }, { parentChannel, endAfterMessages }, ports] = await Promise.all([
    import("./runtime/vrrp-process.ts"),
    import("./linux/processes.ts"),
    vrrpPorts(),
  ]);
  const rest = { yieldTurn, lastWord: sayToStandardError, exit: endAfterMessages };
  const vrrp = new VrrpProcess(parentChannel(), { ...ports, ...rest });
  process.on("SIGTERM", () => vrrp.stop());
}

/** Whoever reads it may be gone as well. */
function sayToStandardError(message: string): void {
  try {
    writeSync(2, `holdfast: ${message}\n`);
  } catch {
    // There is nowhere else to say it.
  }
}

async function vrrpPorts() {
  const [
    { systemClock },
    { openTimer },
    { createAdvertisementSockets },
    { createBfdSockets },
    { openFrameSender },
    { openNetwork },
    { openPacketFilter },
    { openHolderProbes },
    { enterNamedNamespace },
    { claimNamespace },
    { nameProcess },
    { failureText, scheduler, setOutOfMemoryScore },
    { PriorityEscalation },
    { confine },
    { watchSuspension },
  ] = await Promise.all([
    import("./linux/clock.ts"),
    import("./linux/timer.ts"),
    import("./linux/advertisement-sockets.ts"),
    import("./linux/bfd-socket.ts"),
    import("./linux/frame-sender.ts"),
    import("./linux/netlink/network.ts"),
    import("./linux/netlink/packet-filter.ts"),
    import("./linux/holder-probes.ts"),
    import("./linux/namespace.ts"),
    import("./linux/sole-holder.ts"),
    import("./linux/process-identity.ts"),
    import("./linux/scheduling.ts"),
    import("./linux/automatic-priority.ts"),
    import("./linux/confinement.ts"),
    import("./linux/suspension.ts"),
  ]);
  const escalation = new PriorityEscalation();
  const schedule = scheduler();
  const open = async (report: World["report"], buffers: NetlinkReceiveBuffers): Promise<World> => ({
    clock: systemClock,
    openTimer,
    sockets: createAdvertisementSockets(),
    bfd: createBfdSockets(),
    frames: openFrameSender(),
    network: await openNetwork({
      receiveBuffer: buffers.announcements,
      answerBuffer: buffers.answers,
    }),
    ...openPacketFilter(),
    holderProbes: openHolderProbes(),
    hmac,
    late: (lateness) => escalation.met(lateness),
    watchSuspension,
    report,
  });
  setOutOfMemoryScore(LAST_TO_BE_KILLED);
  let confined = false;
  const prepare = ({ global }: Config): readonly string[] => {
    nameProcess(global.processNames.vrrp ?? "holdfast_vrrp");
    escalation.configure(global.automaticPriority, global.vrrpScheduling);
    const failures = schedule(global.vrrpScheduling).map(failureText);
    if (confined) return failures;
    confined = true;
    // By now it is in its network namespace, which it could not enter any more.
    return [...failures, ...confine(VRRP_CAPABILITIES)];
  };
  return { open, prepare, enterNamespace: enterNamedNamespace, claimNamespace };
}

const DIRECTOR_NAME = "holdfast_director";

async function runDirector(): Promise<void> {
  const [
    { DirectorProcess },
    { parentChannel, endAfterMessages },
    { failureText, scheduler },
    { nameProcess },
    { runProgram },
    { directorParts },
  ] = await Promise.all([
    import("./runtime/director-process.ts"),
    import("./linux/processes.ts"),
    import("./linux/scheduling.ts"),
    import("./linux/process-identity.ts"),
    import("./linux/programs.ts"),
    import("./director-parts.ts"),
  ]);
  const schedule = scheduler();
  nameProcess(DIRECTOR_NAME);
  // A manager that stops the agent signals the whole group: the supervisor has it end last of all,
  // when the last transitions were told.
  process.on("SIGTERM", () => undefined);
  new DirectorProcess(parentChannel(), {
    prepare: ({ name, scheduling }) => {
      nameProcess(name ?? DIRECTOR_NAME);
      return schedule(scheduling).map(failureText);
    },
    parts: (settings) => directorParts(settings, later),
    run: runProgram,
    exit: endAfterMessages,
  });
}

async function runWitness(): Promise<void> {
  const [
    { WitnessProcess },
    { parentChannel, endAfterMessages },
    { setOutOfMemoryScore },
    { nameProcess },
    { openTimer },
    { openSleeplessClock },
    { readStore, preparation },
  ] = await Promise.all([
    import("./runtime/witness/witness-process.ts"),
    import("./linux/processes.ts"),
    import("./linux/scheduling.ts"),
    import("./linux/process-identity.ts"),
    import("./linux/timer.ts"),
    import("./linux/sleepless-clock.ts"),
    import("./witness-parts.ts"),
  ]);
  nameProcess("holdfast_witness");
  setOutOfMemoryScore(LAST_TO_BE_KILLED);
  // The supervisor has it end when the vrrp process has let go: leases go back then, and not before.
  process.on("SIGTERM", () => undefined);
  new WitnessProcess(parentChannel(), {
    clock: openSleeplessClock(),
    openTimer,
    prepare: preparation(),
    readStore,
    seed: randomInt(2 ** 32),
    exit: endAfterMessages,
  });
}

async function runFences(): Promise<void> {
  const { runFences: run } = await import("./fence-parts.ts");
  run(LAST_TO_BE_KILLED);
}

async function runConfig(): Promise<void> {
  const [{ serveConfig }, { parentChannel, endAfterMessages }, load, { confine }] =
    await Promise.all([
      import("./runtime/config-process.ts"),
      import("./linux/processes.ts"),
      configLoader(),
      import("./linux/confinement.ts"),
    ]);
  // Files that only others may read, as root reads them. What is refused is said by the vrrp process.
  confine(["dacReadSearch"]);
  serveConfig(parentChannel(), load, () => endAfterMessages(0));
}

/** Reads a configuration file of this machine. Throws a KernelError when it cannot be read. */
async function configLoader(): Promise<(options: LoadRequest) => LoadedConfig> {
  const [{ loadConfig }, { configHost }, { KernelError }] = await Promise.all([
    import("./config/load.ts"),
    import("./linux/config-host.ts"),
    import("./ports/error.ts"),
  ]);
  return ({ configFile, configId, includesMustExist, settingsFile }) => {
    const host = configHost({ configId, workingDirectory: dirname(configFile) });
    const read = host.readFile(configFile);
    if (!read.ok) {
      throw new KernelError(
        "config-unreadable",
        `${configFile} cannot be read (${read.errno})`,
        "name the file with --config, and let this user read it",
      );
    }
    return loadConfig({ file: configFile, text: read.text }, host, {
      includesMustExist,
      settingsFile,
    });
  };
}

async function runPeople(): Promise<void> {
  const { runCommandLine } = await import("./command-line.ts");
  process.exitCode = await runCommandLine({ version, runAgent: runSupervisor });
}

const ROLES: Readonly<Record<Role, () => Promise<void>>> = {
  vrrp: runVrrp,
  director: runDirector,
  witness: runWitness,
  config: runConfig,
  fence: runFences,
};

const [flag, role] = process.argv.slice(2);
if (flag === "--role") {
  // Ctrl-C reaches the whole group, and scripts signal by name: the supervisor decides.
  for (const signal of ["SIGINT", "SIGHUP", ...DUMP_SIGNALS]) process.on(signal, () => undefined);
}
await (flag === "--role" ? ROLES[role as Role]() : runPeople());
