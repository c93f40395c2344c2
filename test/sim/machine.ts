import { leaseOf } from "../../agent/core/vrrp/lease.ts";
import { lifetimeAlone, lifetimeOf } from "../../agent/core/vrrp/lifetime.ts";
import { mandateLimit, stepMandate } from "../../agent/core/vrrp/mandate-step.ts";
import { deadline, step } from "../../agent/core/vrrp/step.ts";
import { stepMandate as stepWitness } from "../../agent/core/witness/step-mandate.ts";

/** The functions under test: those of production, or with a mistake in one of them. */
export interface SimulatedMachine {
  readonly step: typeof step;
  readonly deadline: typeof deadline;
  readonly lease: typeof leaseOf;
  /** Of addresses behind a gate, and of those without one. */
  readonly lifetime: typeof lifetimeOf;
  readonly lifetimeAlone: typeof lifetimeAlone;
  /** Of the vrrp process: what it wishes of the witness, and until when gates may be open. */
  readonly mandate: typeof stepMandate;
  readonly limit: typeof mandateLimit;
  /** Of the witness process. */
  readonly witness: typeof stepWitness;
  /** Clocks, also the store's, run this much faster or slower than true time, no more. */
  readonly clockDrift: number;
}

export const production: SimulatedMachine = {
  step,
  deadline,
  lease: leaseOf,
  lifetime: lifetimeOf,
  lifetimeAlone,
  mandate: stepMandate,
  limit: mandateLimit,
  witness: stepWitness,
  // No two differ by more than a thousandth, as production assumes.
  clockDrift: 5e-4,
};
