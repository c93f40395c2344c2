import { appendFileSync } from "node:fs";
import type { Diagnostic } from "../config/diagnostic.ts";
import { countsText, diagnosticText } from "./diagnostics.ts";
import { CONFIG_TEST_EXIT } from "./exit-status.ts";
import type { CliHost, RunOptions, Terminal } from "./host.ts";
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
  const { config, diagnostics } = await host.loadConfig({
    file: options.configFile,
    configId: options.configId,
    includesMustExist: options.includesMustExist,
  });
  const sourceLine = sourceLines();
  const text = [
    ...diagnostics.map((each) => diagnosticText(each, sourceLine, PLAIN)),
    `${options.configFile}: ${countsText(diagnostics)}`,
  ];
  const written = `${text.join("\n")}\n`;
  if (logFile === undefined) terminal.err(written);
  else appendFileSync(logFile, written);
  return config === undefined ? CONFIG_TEST_EXIT.refused : configTestStatus(diagnostics);
}

export function configTestStatus(diagnostics: readonly Diagnostic[]): number {
  if (diagnostics.some(({ severity }) => severity === "error")) return CONFIG_TEST_EXIT.refused;
  const told = diagnostics.filter(({ code }) => !SILENT_IN_KEEPALIVED.has(code));
  return told.length > 0 ? CONFIG_TEST_EXIT.ignored : CONFIG_TEST_EXIT.ok;
}
