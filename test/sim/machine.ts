import { deadline, step } from "../../agent/core/vrrp/step.ts";

/** The functions under test: the production machine, or a mutant of it. */
export interface SimulatedMachine {
  readonly step: typeof step;
  readonly deadline: typeof deadline;
}

export const production: SimulatedMachine = { step, deadline };
