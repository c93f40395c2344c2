import { existsSync } from "node:fs";
import process from "node:process";
import { runCli } from "./cli/cli.ts";
import type {
  CliHost,
  LoadedSettings,
  LoadRequest,
  PolicyRunRequest,
  Terminal,
} from "./cli/host.ts";
import { DEFAULT_STATE } from "./cli/run-options.ts";
import type { Diagnostic } from "./config/diagnostic.ts";
import type { LoadedConfig } from "./config/load.ts";
import type { RunOptions } from "./config/run-options.ts";
import type { DryRunReport } from "./policy/dry-run-report.ts";
import type { EvaluatedPolicy } from "./policy/evaluate.ts";
import type { DigestPage } from "./ports/page-digest.ts";
import type { ProcessTable } from "./ports/watches.ts";

/** What the command line needs of the composition root. */
export interface CommandLineParts {
  readonly version: () => string;
  readonly runAgent: (options: RunOptions) => Promise<number>;
}

/** The command line's part of the composition. Answers the exit status. */
export function runCommandLine(parts: CommandLineParts): Promise<number> {
  const [, program = "holdfast", ...words] = process.argv;
  // A reader that has seen enough (holdfast events | head) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return runCli(program, words, commandLineHost(parts), terminal());
}

/** Hands Linux and the runtime to the commands. Each is loaded when a command asks for it. */
export function commandLineHost(parts: CommandLineParts): CliHost {
  return {
    ...parts,
    loadConfig,
    loadSettings,
    permissionRules: async () => (await import("./own-plugins.ts")).machinePlugins(DEFAULT_STATE),
    evaluatePolicies,
    runPolicyTests: async (request) =>
      (await import("./simulator/test-process.ts")).runPolicyTests(request),
    simulatePolicy: async (file, scenario) =>
      (await import("./simulator/scenario/play.ts")).playScenario(file, scenario),
    runPolicy,
    replay: async (text) => (await import("./runtime/replay.ts")).replayJournal(text),
    collectFacts: async (request) =>
      (await import("./linux/doctor-facts.ts")).collectHostFacts(request),
    digestPage,
    readKernelSettings: async (namespace) =>
      (await import("./linux/kernel-settings.ts")).readKernelSettings(namespace),
    enterNamespace: async (name) =>
      (await import("./linux/namespace.ts")).enterNamedNamespace(name),
    namespaceLeftBy: async (stateDirectory) =>
      (await import("./runtime/state-store.ts")).namespaceLeftBy(stateDirectory),
    namespaceHolder: async (namespace) =>
      (await import("./linux/namespace-holder.ts")).namespaceHolder(namespace),
    ended: async (pid, limitMs) =>
      (await import("./linux/namespace-holder.ts")).ended(pid, limitMs),
    withdraw: async (namespace) =>
      (await import("./linux/last-will.ts")).withdraw({ namespace, links: true }),
    openLab: async () => new (await import("./linux/lab.ts")).Lab(),
    labCommand: async (command) => (await import("./linux/lab.ts")).labCommand(command),
  };
}

const digestPage: DigestPage = async (request) => {
  const [{ pageDigests }, { openProbeSockets }] = await Promise.all([
    import("../plugins/probes/http/page-digest.ts"),
    import("./linux/probe-sockets.ts"),
  ]);
  return pageDigests(openProbeSockets, () => Date.now())(request);
};

async function evaluatePolicies(
  policies: readonly EvaluatedPolicy[],
): Promise<readonly Diagnostic[]> {
  const [{ evaluatePolicies: evaluate }, { openSandbox }] = await Promise.all([
    import("./policy/evaluate.ts"),
    import("./sandbox/pool.ts"),
  ]);
  return evaluate(policies, (listener) => openSandbox({ listener }));
}

/** Calls are made with the agent's own plugins; what they would keep is not. */
async function runPolicy(request: PolicyRunRequest): Promise<DryRunReport> {
  const [
    { dryRun },
    { machinePlugins, operatorPlugins },
    { systemClock },
    { openProcessTable },
    { openTimer },
    { openSandbox },
    { putSecrets },
  ] = await Promise.all([
    import("./simulator/dry-run.ts"),
    import("./own-plugins.ts"),
    import("./linux/clock.ts"),
    import("./linux/process-table.ts"),
    import("./linux/timer.ts"),
    import("./sandbox/pool.ts"),
    import("./runtime/secrets.ts"),
  ]);
  let table: ProcessTable | undefined;
  const processTable = (): ProcessTable => {
    table ??= openProcessTable();
    return table;
  };
  try {
    return await dryRun(request, {
      clock: systemClock,
      openTimer,
      openSandbox: (listener) => openSandbox({ listener }),
      plugins: machinePlugins(DEFAULT_STATE, processTable),
      loadPlugin: operatorPlugins(),
      secret: putSecrets,
    });
  } finally {
    table?.close();
  }
}

async function loadConfig(request: LoadRequest): Promise<LoadedConfig> {
  const [{ loadConfig: load }, { configHost }, { KernelError }] = await Promise.all([
    import("./config/load.ts"),
    import("./linux/config-host.ts"),
    import("./ports/error.ts"),
  ]);
  const { file, configId, includesMustExist, settingsFile } = request;
  const host = configHost({ configId, workingDirectory: process.cwd() });
  const read = host.readFile(file);
  if (read.ok) {
    return load({ file, text: read.text }, host, { includesMustExist, settingsFile });
  }
  throw new KernelError(
    "config-unreadable",
    `${file} cannot be read (${read.errno})`,
    "name a file that is there and that this user may read",
  );
}

async function loadSettings(file: string): Promise<LoadedSettings | undefined> {
  if (!existsSync(file)) return undefined;
  const [{ loadSettings: load }, { configHost }] = await Promise.all([
    import("./config/settings-file/load-settings.ts"),
    import("./linux/config-host.ts"),
  ]);
  return load(file, configHost({ configId: undefined, workingDirectory: process.cwd() }));
}

/** Colours where a person reads, unless they asked for none (no-color.org). */
function terminal(): Terminal {
  const { stdout, env } = process;
  const isTerminal = stdout.isTTY === true;
  const forced = env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0";
  const refused = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return {
    // Synchronous for files and terminals: nothing is lost when the process ends right after.
    out: (text) => void stdout.write(text),
    err: (text) => void process.stderr.write(text),
    color: forced || (isTerminal && !refused),
    isTerminal,
    columns: stdout.columns ?? 80,
  };
}
