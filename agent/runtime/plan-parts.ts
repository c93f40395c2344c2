import type { InstanceConfig } from "../config/config.ts";
import type { PlanStep } from "../core/reload/plan.ts";
import type { Kept } from "./provision.ts";
import type { Router } from "./router.ts";

type Steps = readonly PlanStep<InstanceConfig>[];

/** Routers that stay, with what becomes of them. */
export const keptBy = (steps: Steps, routers: ReadonlyMap<string, Router>): readonly Kept[] =>
  steps.flatMap((step) => {
    const router = step.action === "keep" ? routers.get(step.from.router.name) : undefined;
    return router === undefined || step.action !== "keep" ? [] : [{ router, step }];
  });

/** Routers that go. */
export const retiredBy = (steps: Steps, routers: ReadonlyMap<string, Router>): readonly Router[] =>
  steps.flatMap((step) =>
    step.action === "remove" || step.action === "replace"
      ? (routers.get(step.from.router.name) ?? [])
      : [],
  );
