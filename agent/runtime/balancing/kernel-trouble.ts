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
