import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { RunOptions } from "../config/run-options.ts";
import type { Settings } from "../config/settings.ts";
import type { Later, StartProcess } from "../ports/processes.ts";
import type { FromConfig, Problem, ToConfig } from "./ipc.ts";

/** A configuration without errors. */
export interface ReadableConfig {
  readonly config: Config;
  readonly settings: Settings;
  readonly diagnostics: readonly Diagnostic[];
}

/** What became of reading the configuration file. */
export type ReadConfig =
  | ({ readonly ok: true } & ReadableConfig)
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      readonly problem: Problem;
    };

/** Sixty times what the largest configurations take. */
const LIMIT_MS = 60_000;

/** What reading needs of the world. */
export interface ReadingPorts {
  readonly start: StartProcess<"config">;
  readonly later: Later;
}

/**
 * Reads the configuration in a process of its own, so that whatever the file does to a parser, it
 * does not do it to the process that keeps the addresses alive. It is killed when it takes too long,
 * or `stop` aborts.
 */
export function readConfig(
  options: RunOptions,
  { start, later }: ReadingPorts,
  stop: AbortSignal,
): Promise<ReadConfig> {
  const { configFile } = options;
  return new Promise((resolve) => {
    const child = start("config", {
      message: (message) => {
        const answer = outcome(message as FromConfig, configFile);
        if (answer !== undefined) finish(answer);
      },
      // A promise resolves once: after an answer this says nothing new.
      ended: (_, cause) => finish(failed(endedProblem(configFile, cause))),
    });
    const kill = () => child.kill("SIGKILL");
    const cancel = later(LIMIT_MS, () => {
      kill();
      finish(failed(lateProblem(configFile)));
    });
    const finish = (answer: ReadConfig): void => {
      cancel();
      stop.removeEventListener("abort", kill);
      resolve(answer);
    };
    stop.addEventListener("abort", kill);
    if (stop.aborted) kill();
    const load: ToConfig = { kind: "load", options };
    child.send(load);
  });
}

const failed = (problem: Problem): ReadConfig => ({ ok: false, diagnostics: [], problem });

const endedProblem = (file: string, cause: string): Problem => ({
  code: "config-process-ended",
  message: `the process that reads ${file} ended (${cause}) without an answer`,
  remedy: "this is a defect of Holdfast: please report it with the configuration file",
});

const lateProblem = (file: string): Problem => ({
  code: "config-process-late",
  message: `${file} could not be read within ${LIMIT_MS / 1_000} s`,
  remedy: "see where it and its includes lie: a file system that does not answer, for example",
});

function outcome(message: FromConfig, file: string): ReadConfig | undefined {
  if (message.kind === "unreadable") return failed(message.problem);
  if (message.kind !== "loaded") return undefined;
  const { config, settings, diagnostics } = message;
  if (config !== undefined) return { ok: true, config, settings, diagnostics };
  const errors = diagnostics.filter((one) => one.severity === "error").length;
  return {
    ok: false,
    diagnostics,
    problem: {
      code: "config-refused",
      message: `${file} has ${errors} ${errors === 1 ? "error" : "errors"}`,
      remedy: `mend what is listed; \`holdfast check ${file}\` shows it again`,
    },
  };
}
