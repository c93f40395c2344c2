import type { Config } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { StartProcess } from "../ports/processes.ts";
import type { FromConfig, Problem, ToConfig } from "./ipc.ts";
import type { RunOptions } from "./options.ts";

/** What became of reading the configuration file. */
export type ReadConfig =
  | { readonly ok: true; readonly config: Config; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      readonly problem: Problem;
    };

/**
 * Reads the configuration in a process of its own, so that whatever the file does to a parser, it
 * does not do it to the process that keeps the addresses alive.
 */
export function readConfig(
  options: RunOptions,
  start: StartProcess<"config">,
): Promise<ReadConfig> {
  return new Promise((resolve) => {
    const child = start("config", {
      message: (message) => {
        const answer = outcome(message as FromConfig, options.configFile);
        if (answer !== undefined) resolve(answer);
      },
      // A promise resolves once: after an answer this says nothing new.
      ended: (_, cause) => {
        resolve({
          ok: false,
          diagnostics: [],
          problem: {
            code: "config-process-ended",
            message: `the process that reads ${options.configFile} ended (${cause}) without an answer`,
            remedy: "this is a defect of Holdfast: please report it with the configuration file",
          },
        });
      },
    });
    const load: ToConfig = { kind: "load", options };
    child.send(load);
  });
}

function outcome(message: FromConfig, file: string): ReadConfig | undefined {
  if (message.kind === "unreadable")
    return { ok: false, diagnostics: [], problem: message.problem };
  if (message.kind !== "loaded") return undefined;
  const { config, diagnostics } = message;
  if (config !== undefined) return { ok: true, config, diagnostics };
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
