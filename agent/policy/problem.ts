import type { Diagnostic, Severity } from "../config/diagnostic.ts";
import type { DiagnosticCode } from "../config/diagnostic-codes.ts";
import { diagnosticCodes } from "../config/diagnostic-codes.ts";
import type { Position } from "../config/position.ts";

/** What can be wrong with a policy, from its file to its grants. Shown as any finding is. */
export type ProblemCode = Extract<DiagnosticCode, `policy-${string}`>;

export interface ProblemText {
  /** One sentence without the place. */
  readonly message: string;
  /** The offending text as written, if it is known. */
  readonly text?: string;
  /** What to do next. */
  readonly hint?: string | undefined;
  /** Default: that of the code. */
  readonly severity?: Severity;
}

export function problem(code: ProblemCode, position: Position, words: ProblemText): Diagnostic {
  const { message, text = "", hint, severity = diagnosticCodes[code].severity } = words;
  return { code, severity, position, message, text, hint };
}

/** The place of what concerns a file as a whole. */
export const fileStart = (file: string): Position => ({ file, line: 1, column: 1 });

/** The last name of a path, as it may stand in the source; the index of a list's element does not. */
export const writtenName = (path: readonly string[]): string => {
  const last = path.at(-1) ?? "";
  return /^\d+$/.test(last) ? "" : last;
};

/** Whether anything in the list keeps the policy from running. */
export const hasErrors = (problems: readonly Diagnostic[]): boolean =>
  problems.some(({ severity }) => severity === "error");
