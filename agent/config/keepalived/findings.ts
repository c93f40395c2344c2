import type { Diagnostic } from "../diagnostic.ts";
import type { DiagnosticCode } from "../diagnostic-codes.ts";
import { diagnose, diagnosticCodes } from "../diagnostic-codes.ts";
import type { Position } from "../position.ts";

/** Warnings kept of one configuration; errors are always kept. */
const maxWarnings = 10_000;

/** Collects findings, each place and code once. */
export class Findings {
  readonly #found: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  #warnings = 0;

  add(
    code: DiagnosticCode,
    position: Position,
    text: string,
    message: string,
    hint?: string,
  ): void {
    if (diagnosticCodes[code].severity === "warning" && ++this.#warnings > maxWarnings) return;
    const key = `${code} ${position.line}:${position.column} ${text} ${position.file}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#found.push(diagnose(code, position, text, message, hint));
  }

  /** All findings, in the order of their places within each file, files as first met. */
  sorted(): readonly Diagnostic[] {
    return inOrder(this.#found);
  }
}

/** In the order of their places within each file; `first`, then the other files as first met. */
export function inOrder(diagnostics: readonly Diagnostic[], first?: string): readonly Diagnostic[] {
  const files = new Map<string, number>();
  if (first !== undefined) files.set(first, 0);
  for (const { position } of diagnostics) {
    if (!files.has(position.file)) files.set(position.file, files.size);
  }
  const rank = (file: string): number => files.get(file) ?? 0;
  return diagnostics.toSorted(
    ({ position: a }, { position: b }) =>
      rank(a.file) - rank(b.file) || a.line - b.line || a.column - b.column,
  );
}
