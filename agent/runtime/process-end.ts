import type { EventReport, ServiceRole } from "./ipc.ts";

export interface ProcessEnd {
  /** It did not fail. */
  readonly clean: boolean;
  readonly cause: string;
  /** Until the next one starts; `undefined`: none does. */
  readonly restartMs: number | undefined;
}

/** That a process has ended which is to run. */
export function processEnd(
  role: ServiceRole,
  { clean, cause, restartMs }: ProcessEnd,
  at: number,
): EventReport {
  const next = restartMs === undefined ? "" : `; the next one starts in ${restartMs} ms`;
  return {
    at,
    kind: "process",
    level: clean ? "warn" : "error",
    subject: role,
    message: `the ${role} process ended (${cause})${next}`,
    detail: { cause, restartMs: restartMs ?? null },
  };
}
