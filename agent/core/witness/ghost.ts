import type { LeaseAnswer } from "./lease-answer.ts";

/**
 * Nobody else has it; but only the process that took it could renew it, and when it has run out anybody may
 * get it. The store serves: it is no outage, through which who is failsafe may go on.
 */
const GHOST: LeaseAnswer = {
  kind: "refused",
  reason: "an earlier witness process of this node has the lease",
  remedy: "wait: it runs out by itself, and is asked for again",
};

/** What the store's answer means to the node of this name: a lease of its own that it does not know is no rival's. */
export const unghosted = (answer: LeaseAnswer, self: string): LeaseAnswer =>
  answer.kind === "taken" && answer.holder === self ? GHOST : answer;
