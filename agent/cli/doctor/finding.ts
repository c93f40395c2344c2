export type FindingLevel = "ok" | "warning" | "problem";

/** One thing the doctor looked at. */
export interface Finding {
  /** Stable kebab-case name of the rule. */
  readonly rule: string;
  readonly level: FindingLevel;
  /** One line. */
  readonly message: string;
  /** What to do; `null` where nothing is to be done. */
  readonly next: string | null;
}

/** `holdfast doctor --json`. */
export interface DoctorReport {
  readonly findings: readonly Finding[];
  readonly warnings: number;
  readonly problems: number;
}

export const ok = (rule: string, message: string): Finding => ({
  rule,
  level: "ok",
  message,
  next: null,
});

export const warning = (rule: string, message: string, next: string): Finding => ({
  rule,
  level: "warning",
  message,
  next,
});

export const problem = (rule: string, message: string, next: string): Finding => ({
  rule,
  level: "problem",
  message,
  next,
});
