import { micros } from "../../agent/core/time.ts";
import { leaseOf } from "../../agent/core/vrrp/lease.ts";
import { lifetimeOf } from "../../agent/core/vrrp/lifetime.ts";
import type { MandateEffect } from "../../agent/core/vrrp/mandate.ts";
import { stepMandate } from "../../agent/core/vrrp/mandate-step.ts";
import { stepMandate as stepWitness } from "../../agent/core/witness/step-mandate.ts";
import type { SimulatedMachine } from "./machine.ts";
import { production } from "./machine.ts";

const mutant = (change: Partial<SimulatedMachine>): SimulatedMachine => ({
  ...production,
  ...change,
});

/** Machines with one mistake each, of those that time leases, lifetimes and mandates; and clocks that err. */
export const MANDATE_MUTANTS: Readonly<Record<string, SimulatedMachine>> = {
  "the lease of an advertisement outlasts a backup's patience": mutant({
    lease: (interval, adverts) => {
      const lease = leaseOf(interval, adverts);
      return lease && { ...lease, length: micros((adverts + 0.25) * interval) };
    },
  }),
  "an address ends before its lease": mutant({
    lifetime: (interval, adverts) => {
      const { seconds, refresh } = lifetimeOf(interval, adverts);
      return { seconds: Math.max(1, seconds - 2), refresh };
    },
  }),
  "a mandate is given back before the gate is shut": mutant({
    mandate: (surroundings, state, event, now) => {
      const answer = stepMandate(surroundings, state, event, now);
      const { phase } = answer.state;
      const early = answer.effects.flatMap((effect): readonly MandateEffect[] =>
        effect.kind === "await-shut" && phase.kind === "returning"
          ? [{ kind: "say", what: "mandate-unwanted", wish: phase.wish }, effect]
          : [effect],
      );
      return { state: answer.state, effects: early };
    },
  }),
  "a lease counts from the store's answer": mutant({
    witness: (rules, state, event, now) => {
      const { request } = state.witness;
      if (event.kind !== "answer" || request === undefined) {
        return stepWitness(rules, state, event, now);
      }
      return stepWitness(rules, state, { ...event, sentAt: now }, now);
    },
  }),
  "a lease counts for its whole time": mutant({
    witness: (rules, state, event, now) => {
      const { lease } = rules;
      const longer = lease && { ...lease, margin: micros(0) };
      return stepWitness({ ...rules, lease: longer }, state, event, now);
    },
  }),
  "what was granted to an older wish counts": mutant({
    mandate: (surroundings, state, event, now) => {
      const { phase } = state;
      if (event.kind !== "news" || !("wish" in phase)) {
        return stepMandate(surroundings, state, event, now);
      }
      const { serial } = phase.wish;
      return stepMandate(surroundings, state, { ...event, serial }, now);
    },
  }),
  "a gate does not know of the mandate's end": mutant({ limit: () => undefined }),
  "who lost its mandate stays active": mutant({
    mandate: (surroundings, state, event, now) => {
      if (state.phase.kind === "granted" && event.kind !== "returned") {
        if (event.kind !== "news" || event.news.kind !== "granted") return { state, effects: [] };
      }
      return stepMandate(surroundings, state, event, now);
    },
  }),
  "clocks drift further apart than leases reckon with": mutant({ clockDrift: 0.1 }),
};
