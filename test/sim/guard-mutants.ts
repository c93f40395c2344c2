import type { MandateEvent } from "../../agent/core/vrrp/mandate.ts";
import { stepMandate } from "../../agent/core/vrrp/mandate-step.ts";
import type { MandateNews } from "../../agent/core/witness/mandate-news.ts";
import { stepMandate as stepWitness } from "../../agent/core/witness/step-mandate.ts";
import type { SimulatedMachine } from "./machine.ts";
import { production } from "./machine.ts";

type Mandate = SimulatedMachine["mandate"];
type Witness = SimulatedMachine["witness"];

const vrrp = (mandate: Mandate): SimulatedMachine => ({ ...production, mandate });
const process = (witness: Witness): SimulatedMachine => ({ ...production, witness });

/** As if this had happened. */
const misled = (change: (event: MandateEvent) => MandateEvent): SimulatedMachine =>
  vrrp((surroundings, state, event, now) => stepMandate(surroundings, state, change(event), now));

/** As if this had been the news. */
const misheard = (change: (news: MandateNews) => MandateNews): SimulatedMachine =>
  misled((event) => (event.kind === "news" ? { ...event, news: change(event.news) } : event));

/** Machines with one mistake each, of those that go on without a store, and of those that fence. */
export const GUARD_MUTANTS: Readonly<Record<string, SimulatedMachine>> = {
  "who is failsafe does not look at its sessions": vrrp((surroundings, state, event, now) =>
    stepMandate({ ...surroundings, failsafe: true }, state, event, now),
  ),
  "who is failsafe looks at its sessions when it begins only": vrrp(
    (surroundings, state, event, now) => {
      const begun = state.phase.kind === "granted" && state.phase.failsafe;
      const failsafe = surroundings.failsafe || begun;
      return stepMandate({ ...surroundings, failsafe }, state, event, now);
    },
  ),
  "a lease of this node's own that it does not know is an outage of the store": misheard((news) =>
    news.kind === "waiting" && news.because === "store-refused"
      ? { ...news, because: "store-unreachable" }
      : news,
  ),
  "who is failsafe does not hear that somebody else has the lease": vrrp(
    (surroundings, state, event, now) => {
      const begun = state.phase.kind === "granted" && state.phase.failsafe;
      if (begun && event.kind === "news" && event.news.kind === "taken") {
        return { state, effects: [] };
      }
      return stepMandate(surroundings, state, event, now);
    },
  ),
  "a mandate is granted while the fence agents run": process((rules, state, event, now) => {
    const answer = stepWitness(rules, state, event, now);
    const effects = answer.effects.flatMap((effect) => {
      if (effect.kind !== "tell" || effect.news.kind !== "waiting") return [effect];
      if (effect.news.because !== "fencing") return [effect];
      const { deadlineAt, epoch } = answer.state.leave ?? { deadlineAt: null, epoch: null };
      return [{ ...effect, news: { kind: "granted", deadlineAt, epoch } as const }];
    });
    return { state: answer.state, effects };
  }),
  "an agent that failed counts as one that succeeded": process((rules, state, event, now) =>
    stepWitness(
      rules,
      state,
      event.kind === "fenced" ? { ...event, problem: undefined } : event,
      now,
    ),
  ),
  "nobody is fenced": process((rules, state, event, now) =>
    stepWitness({ ...rules, fences: false }, state, event, now),
  ),
  "who resigned is fenced": misled((event) =>
    event.kind === "sought" ? { ...event, fence: true } : event,
  ),
  "who is active when a reload asks for a lease stays so without an answer": vrrp(
    (surroundings, state, event, now) => {
      const answer = stepMandate(surroundings, state, event, now);
      const { phase } = answer.state;
      if (phase.kind !== "granted" || !phase.grace) return answer;
      return { ...answer, state: { ...answer.state, phase: { ...phase, deadlineAt: null } } };
    },
  ),
  "it does not hear then that somebody else has the lease": vrrp(
    (surroundings, state, event, now) => {
      const kept = state.phase.kind === "granted" && state.phase.grace;
      return kept && event.kind === "news" && event.news.kind === "taken"
        ? { state, effects: [] }
        : stepMandate(surroundings, state, event, now);
    },
  ),
  "it leaves at once, as though it had to be granted first": vrrp(
    (surroundings, state, event, now) => {
      const { phase } = state;
      return event.kind === "kept" && phase.kind === "none"
        ? { state, effects: [{ kind: "tell-group", event: "mandate-withdrawn" }] }
        : stepMandate(surroundings, state, event, now);
    },
  ),
  "it goes on without the store as though it had had a lease": vrrp(
    (surroundings, state, event, now) => {
      const { phase } = state;
      const leased =
        phase.kind === "granted" ? { ...state, phase: { ...phase, grace: false } } : state;
      return stepMandate(surroundings, leased, event, now);
    },
  ),
};
