import type { Diagnostic } from "../config/diagnostic.ts";
import type { LogLevel } from "./ipc.ts";

/** A finding in the configuration as one line of the log. */
export function diagnosticLine(diagnostic: Diagnostic): {
  readonly level: LogLevel;
  readonly message: string;
} {
  const { severity, position, message, text, hint, code } = diagnostic;
  const place = `${position.file}:${position.line}:${position.column}`;
  const said = text === "" ? "" : ` (${text})`;
  const advice = hint === undefined ? "" : `; ${hint}`;
  return {
    level: severity === "error" ? "error" : "warn",
    message: `${place}: ${message}${said}${advice} [${code}]`,
  };
}
