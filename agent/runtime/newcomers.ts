import type { Config, InstanceConfig } from "../config/config.ts";
import type { PlanStep } from "../core/reload/plan.ts";
import type { Instant } from "../core/time.ts";
import { delayed } from "./startup-delay.ts";

/**
 * The instances that are to run and do not yet, with how long they wait. Delays are for the first
 * configuration, not for what a reload adds.
 */
export function newcomers(
  { global }: Config,
  steps: readonly PlanStep<InstanceConfig>[],
  first: boolean,
  now: Instant,
): readonly InstanceConfig[] {
  // The clock counts from boot.
  const boot = global.delayAfterBoot - now;
  const delay = first ? Math.max(0, boot, global.startupDelay) : 0;
  return steps.flatMap((step) => {
    if (step.action !== "add" && step.action !== "replace") return [];
    const own = first ? step.to.router.startupDelay : 0;
    return [delayed(step.to, Math.max(delay, own))];
  });
}
