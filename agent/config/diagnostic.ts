import type { Position } from "./position.ts";

export type Severity = "error" | "warning";

/** One finding in a configuration: what, where, and how to mend it. */
export interface Diagnostic {
  /** Stable kebab-case code; the table of codes says its severity and remedy. */
  readonly code: string;
  readonly severity: Severity;
  readonly position: Position;
  /** One sentence without the place. */
  readonly message: string;
  /** The offending text as written; empty when the finding is about an absence. */
  readonly text: string;
  /** What was probably meant, or what to do next. */
  readonly hint: string | undefined;
}
