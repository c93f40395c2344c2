import type { Diagnostic } from "./diagnostic.ts";
import type { DiagnosticCodeEntry } from "./diagnostic-codes.ts";
import { diagnosticCodes } from "./diagnostic-codes.ts";

/** Widest stretch of a source line that is shown. */
const widest = 160;

/**
 * Renders a finding as compilers do: `file:line:column: severity[code]: message`, the line with
 * a mark under the text, the effect, and what to do. `sourceLine`: that line of the file; without
 * it the offending text is shown.
 */
export function formatDiagnostic(diagnostic: Diagnostic, sourceLine?: string): string {
  const { code, severity, position, message, text, hint } = diagnostic;
  const { file, line, column } = position;
  const entry = Object.hasOwn(diagnosticCodes, code) ? entryOf(code) : undefined;
  const out = [`${file}:${line}:${column}: ${severity}[${code}]: ${printable(message)}`];
  if (sourceLine !== undefined) out.push(...excerpt(sourceLine, line, column, text));
  else if (text !== "") out.push(`  text: ${printable(text)}`);
  if (entry !== undefined) out.push(`  effect: ${entry.effect}`);
  const advice = hint ?? entry?.remedy;
  if (advice !== undefined) out.push(`  hint: ${printable(advice)}`);
  return out.join("\n");
}

const entryOf = (code: string): DiagnosticCodeEntry | undefined =>
  new Map<string, DiagnosticCodeEntry>(Object.entries(diagnosticCodes)).get(code);

/** The line and its mark, shortened around the text when it is long. */
function excerpt(source: string, line: number, column: number, text: string): readonly string[] {
  const start = column - 1 > widest / 2 ? column - 1 - widest / 4 : 0;
  const shown = printable(source.slice(start, start + widest).trimEnd());
  const gutter = String(line);
  const blank = " ".repeat(gutter.length);
  // Tabs stay tabs, so that the mark stands under the text at any tab width.
  const indent = source.slice(start, column - 1).replace(/[^\t]/g, " ");
  const written = source.startsWith(text, column - 1) ? Math.min(text.length, widest) : 1;
  const out = [` ${gutter} | ${shown}`, ` ${blank} | ${indent}${"^".repeat(Math.max(1, written))}`];
  // What definitions and quotes came to differs from what stands in the file.
  if (text !== "" && !source.includes(text)) out.push(`  text: ${printable(text)}`);
  return out;
}

/** Without characters that would move the cursor or colour the terminal. */
const printable = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) =>
    character === "\t"
      ? character
      : `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}}`,
  );
