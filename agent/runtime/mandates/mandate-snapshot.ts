import type { MandateConfig } from "../../config/mandates.ts";
import type { Instant } from "../../core/time.ts";
import { since } from "../../core/time.ts";
import type { MandatePhase, MandateState } from "../../core/vrrp/mandate.ts";
import type { MandateSnapshot } from "../../core/vrrp/snapshot.ts";

/** A mandate, for people and programs. */
export function mandateSnapshot(
  { name, lease, fences }: MandateConfig,
  { phase }: MandateState,
  now: Instant,
): MandateSnapshot {
  const delay = "delay" in phase ? phase.delay : undefined;
  return {
    name,
    mode: lease?.mode ?? null,
    fences,
    state: stateOf(phase),
    epoch: phase.kind === "granted" ? phase.epoch : null,
    remaining: remainingOf(phase, now),
    waiting:
      delay === undefined
        ? null
        : { because: delay.because, reason: delay.reason, remedy: delay.remedy },
    taken: phase.kind === "sought" && phase.taken !== undefined,
    holder: phase.kind === "sought" ? (phase.taken?.holder ?? null) : null,
  };
}

function stateOf(phase: MandatePhase): MandateSnapshot["state"] {
  const kept = phase.kind === "granted" && phase.grace;
  if (phase.kind === "granted" && !kept) return phase.failsafe ? "failsafe" : "granted";
  const sought =
    kept || phase.kind === "sought" || (phase.kind === "returning" && phase.next !== undefined);
  return sought ? "sought" : "none";
}

function remainingOf(phase: MandatePhase, now: Instant): number | null {
  if (phase.kind !== "granted" || phase.deadlineAt === null) return null;
  return Math.max(0, since(now, phase.deadlineAt));
}
