import type { InstanceConfig } from "../config/config.ts";
import type { ReloadPlan } from "../control/target.ts";
import type { PlanStep } from "../core/reload/plan.ts";

type Step = PlanStep<InstanceConfig>;

/** What a plan does with each router, by name, for people. */
export function summary(steps: readonly Step[]): ReloadPlan {
  const names = (action: Step["action"]): readonly string[] =>
    steps.flatMap((step) => {
      if (step.action !== action) return [];
      return [step.action === "remove" ? step.from.router.name : step.to.router.name];
    });
  return {
    added: names("add"),
    removed: names("remove"),
    replaced: names("replace"),
    kept: names("keep"),
  };
}
