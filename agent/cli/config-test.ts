import { appendFileSync } from "node:fs";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { RunOptions } from "../config/run-options.ts";
import { KernelError } from "../ports/error.ts";
import { countsText, diagnosticText } from "./diagnostics.ts";
import { CONFIG_TEST_EXIT } from "./exit-status.ts";
import type { CliHost, Terminal } from "./host.ts";
import { sourceLines } from "./source-lines.ts";
import { PLAIN } from "./style.ts";

/**
 * Findings that keepalived does not report, or accepts in silence: they do not make its -t fail, so
 * they must not fail a deployment that relies on it.
 */
const SILENT_IN_KEEPALIVED: ReadonlySet<string> = new Set([
  "deprecated-keyword",
  "duplicate-keyword",
  "extra-words",
  "include-unmatched",
  "no-effect-yet",
  "undefined-name",
]);

/** keepalived's -t. Answers its exit status; what it found goes to `logFile` or the standard error. */
export async function configTest(
  options: RunOptions,
  logFile: string | undefined,
  host: CliHost,
  terminal: Terminal,
): Promise<number> {
  const told = (text: string): void =>
    logFile === undefined ? terminal.err(text) : appendFileSync(logFile, text);
  const loaded = await loadOrReason(options, host);
  if (typeof loaded === "string") {
    told(`${loaded}\n`);
    return CONFIG_TEST_EXIT.refused;
  }
  const { config, diagnostics } = loaded;
  const sourceLine = sourceLines();
  const text = [
    ...diagnostics.map((each) => diagnosticText(each, sourceLine, PLAIN)),
    `${options.configFile}: ${countsText(diagnostics)}`,
  ];
  told(`${text.join("\n")}\n`);
  return config === undefined ? CONFIG_TEST_EXIT.refused : configTestStatus(diagnostics);
}

/** The reason, where the file itself cannot be read: to keepalived a file that it cannot run. */
async function loadOrReason(options: RunOptions, host: CliHost): Promise<LoadedConfig | string> {
  const { configFile: file, configId, includesMustExist, settingsFile } = options;
  try {
    return await host.loadConfig({ file, configId, includesMustExist, settingsFile });
  } catch (error) {
    if (error instanceof KernelError) return error.message;
    throw error;
  }
}

export function configTestStatus(diagnostics: readonly Diagnostic[]): number {
  if (diagnostics.some(({ severity }) => severity === "error")) return CONFIG_TEST_EXIT.refused;
  const told = diagnostics.filter(({ code }) => !SILENT_IN_KEEPALIVED.has(code));
  return told.length > 0 ? CONFIG_TEST_EXIT.ignored : CONFIG_TEST_EXIT.ok;
}
