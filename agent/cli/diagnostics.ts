import type { Diagnostic } from "../config/diagnostic.ts";
import { formatDiagnostic } from "../config/format-diagnostic.ts";
import type { SourceLine } from "./source-lines.ts";
import type { Style } from "./style.ts";

/** A finding as compilers show it, its first line emphasised. */
export function diagnosticText(
  diagnostic: Diagnostic,
  sourceLine: SourceLine,
  style: Style,
): string {
  const [first = "", ...rest] = formatDiagnostic(diagnostic, sourceLine(diagnostic.position)).split(
    "\n",
  );
  const paint = diagnostic.severity === "error" ? style.bad : style.caution;
  return [paint(first), ...rest].join("\n");
}

/** `2 errors, 1 warning`. */
export function countsText(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  return `${plural(errors, "error")}, ${plural(diagnostics.length - errors, "warning")}`;
}

/** `no errors`, `1 error`, `2 errors`. */
export const plural = (count: number, noun: string): string =>
  `${count === 0 ? "no" : count} ${noun}${count === 1 ? "" : "s"}`;
