import type { IpvsCommand } from "../../core/ipvs/reconcile.ts";
import type { ServiceKey } from "../../core/ipvs/service.ts";
import type { KernelError } from "../../ports/error.ts";
import type { EventReport } from "../ipc.ts";
import { IP_VS } from "./kernel-table.ts";

/** The kernel refuses something, or does not any more. */
export function troubleReport(
  subject: string,
  error: KernelError | undefined,
  at: number,
): EventReport {
  if (error === undefined) {
    const message = subject === IP_VS ? "the kernel balances load again" : "the kernel has it now";
    return { at, kind: "balancing", level: "info", subject, message, detail: { refused: false } };
  }
  const { code, message, remedy } = error;
  return {
    at,
    kind: "balancing",
    level: "error",
    subject,
    message: `${message}; ${remedy}`,
    detail: { refused: true, code },
  };
}

/** Answers on a data path do not reach this host, or do again. */
export function answersReport(
  subject: string,
  error: KernelError | undefined,
  at: number,
): EventReport {
  const report = troubleReport(subject, error, at);
  if (error === undefined) return { ...report, message: "answers come through: checks go on" };
  return { ...report, level: "warn", message: `checks stand still: ${report.message}` };
}

/** Somebody else changed a service of ours. */
export const driftReport = (
  service: ServiceKey,
  commands: readonly IpvsCommand[],
  at: number,
): EventReport => {
  const kinds = new Map<string, number>();
  for (const { kind } of commands) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const list = [...kinds].map(([kind, count]) => `${count} × ${kind}`).join(", ");
  return {
    at,
    kind: "balancing",
    level: "warn",
    subject: service,
    message: `somebody else changed it in the kernel, and it is put right (${list})`,
    detail: { drift: Object.fromEntries(kinds) },
  };
};
