import type { Diagnostic } from "../config/diagnostic.ts";
import type { Position } from "../config/position.ts";
import type { Style } from "./style.ts";
import { textWidth } from "./table.ts";

/** The source line of a place, where it is at hand. */
export type SourceLine = (position: Position) => string | undefined;

/** A finding as compilers show it: place, what, the line with a mark below it, and what was meant. */
export function diagnosticText(
  diagnostic: Diagnostic,
  sourceLine: SourceLine,
  style: Style,
): string {
  const { position, severity, message, code, hint } = diagnostic;
  const paint = severity === "error" ? style.bad : style.caution;
  const place = `${position.file}:${position.line}:${position.column}`;
  const line = sourceLine(position);
  return [
    `${style.strong(place)}: ${paint(severity)}: ${message} [${code}]`,
    ...(line === undefined ? [] : quote(line, diagnostic, paint)),
    ...(hint === undefined ? [] : [`  → ${hint}`]),
  ].join("\n");
}

/** Longer lines are not shown: the place names the column. */
const LONGEST_QUOTE = 160;

function quote(
  line: string,
  { position, text }: Diagnostic,
  paint: (text: string) => string,
): readonly string[] {
  if (line.length > LONGEST_QUOTE) return [];
  const before = line.slice(0, position.column - 1);
  // A tab stays a tab, so that the mark stands below its text whatever the tab stops are.
  const indent = before.replaceAll(/[^\t]/g, (character) => " ".repeat(textWidth(character)));
  const marked = line.startsWith(text, position.column - 1) ? textWidth(text) : 1;
  return [`  ${line.trimEnd()}`, `  ${indent}${paint("^".repeat(Math.max(1, marked)))}`];
}

/** `2 errors, 1 warning`. */
export function countsText(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  const plural = (count: number, noun: string): string =>
    `${count === 0 ? "no" : count} ${noun}${count === 1 ? "" : "s"}`;
  return `${plural(errors, "error")}, ${plural(warnings, "warning")}`;
}
