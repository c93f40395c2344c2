import { checkCost } from "./check-cost.ts";
import type { Package } from "./program.ts";
import type { Section } from "./row.ts";

/** What it costs to check anything at all. */
export const trivialCheck = (from: Package): Promise<Section> =>
  checkCost(from, {
    title: "A check that does nothing",
    method: "keepalived runs a script of `exit 0`, Holdfast a policy's `() => true`.",
    what: "processor time of a check that does nothing",
    script: "exit 0",
    run: "() => true",
    aim: 15,
  });
