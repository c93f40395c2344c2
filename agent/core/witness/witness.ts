import type { Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { after, micros } from "../time.ts";
import type { LeaseAnswer } from "./lease-answer.ts";

/** The clocks of this host and of the store run at rates that differ by no more than this. */
export const CLOCK_RATE_BOUND = 1e-3;

/** So many requests in a row may go without an answer before a lease is lost. */
const TRIES = 2;

/** How one group asks for its lease. */
export interface WitnessConfig {
  /** `required`: nothing without a lease. `advisory`: without one where the store does not answer. */
  readonly mode: "advisory" | "required";
  /** How long the store keeps a lease without a renewal. */
  readonly ttl: Micros;
  /** From the sending of a request that was answered to the next. */
  readonly renewEvery: Micros;
  /** A request that is not answered by then was in vain. */
  readonly requestTime: Micros;
  /** The gate may learn of a deadline this late. */
  readonly margin: Micros;
  /** `advisory`: how long the store is waited for. */
  readonly patience: Micros;
}

export interface WitnessProblem {
  readonly reason: "not-positive" | "too-slow";
  /** The longest `renewEvery` that fits the other times. */
  readonly longestRenewEvery: Micros;
}

/** How long after the sending of its request a lease is counted on: less by clock drift and margin. */
export const leaseTime = ({ ttl, margin }: WitnessConfig): Micros =>
  micros(Math.floor(ttl * (1 - CLOCK_RATE_BOUND)) - margin);

/** Whether a lease outlives one renewal that goes unanswered; `undefined` where it does. */
export function witnessProblem(config: WitnessConfig): WitnessProblem | undefined {
  const { ttl, renewEvery, requestTime, margin, patience } = config;
  const longestRenewEvery = micros(leaseTime(config) - TRIES * requestTime);
  const times = [ttl, renewEvery, requestTime];
  if (times.some((time) => time <= 0) || margin < 0 || patience < 0) {
    return { reason: "not-positive", longestRenewEvery };
  }
  return renewEvery > longestRenewEvery ? { reason: "too-slow", longestRenewEvery } : undefined;
}

export type RequestKind = "acquire" | "renew" | "release";

/** What comes of the store. */
export type StoreEvent =
  /** @param sentAt just before the request left. */
  | {
      readonly kind: "answer";
      readonly id: number;
      readonly sentAt: Instant;
      readonly answer: LeaseAnswer;
    }
  | { readonly kind: "released"; readonly id: number }
  /** The holder may be another: a hint. */
  | { readonly kind: "changed" };

export type WitnessEvent =
  /** The group wants its addresses, or still does. */
  | { readonly kind: "wanted" }
  | { readonly kind: "not-wanted" }
  | StoreEvent
  | { readonly kind: "tick" };

/** Why a grant ended. */
export type RevokeReason = "lapsed" | "lost" | "taken" | "not-wanted";

export type WitnessEffect =
  | { readonly kind: RequestKind; readonly id: number; readonly limit: Micros }
  /** The first, and each that puts the deadline off. The gate shuts at the deadline by itself. */
  | { readonly kind: "grant"; readonly deadlineAt: Instant; readonly epoch: string }
  /** `advisory` alone: nobody vouches for it. */
  | { readonly kind: "grant-without-lease"; readonly because: "unreachable" | "refused" }
  | { readonly kind: "revoke"; readonly reason: RevokeReason };

export interface WitnessRequest {
  readonly id: number;
  readonly kind: RequestKind;
  readonly askedAt: Instant;
  /** An answer after it is a stranger's. */
  readonly limitAt: Instant;
}

export interface WitnessState {
  readonly wanted: boolean;
  /** One at a time, so that no release overtakes an acquisition. */
  readonly request: WitnessRequest | undefined;
  /** What the group was last told that it may do. */
  readonly grant:
    | { readonly kind: "none" }
    | { readonly kind: "leased"; readonly deadlineAt: Instant; readonly epoch: string }
    | { readonly kind: "without-lease" };
  /** Something was asked for since the last release: the store may hold it for us. */
  readonly mayHold: boolean;
  /** A grant ended by time alone, and its gate may be shut as late as this: no release before. */
  readonly openUntil: Instant | undefined;
  /** When the store is asked next. */
  readonly askAt: Instant | undefined;
  /** `advisory`: until when the store is waited for. */
  readonly patientUntil: Instant | undefined;
  /** Requests in vain, in a row. */
  readonly failures: number;
  /** The last that the store said, for status. */
  readonly answer: LeaseAnswer | undefined;
  readonly nextId: number;
  /** For the spread of what many would do at once. */
  readonly seed: number;
}

export type WitnessTransition = Transition<WitnessState, WitnessEffect>;

/** @param seed a number of this host's own, so that hosts spread their requests. */
export const initialWitness = (seed: number): WitnessState => ({
  wanted: false,
  request: undefined,
  grant: { kind: "none" },
  mayHold: false,
  openUntil: undefined,
  askAt: undefined,
  patientUntil: undefined,
  failures: 0,
  answer: undefined,
  nextId: 1,
  seed: seed >>> 0,
});

/** By when a lease that was asked for then is not counted on any more. */
export const leaseDeadline = (config: WitnessConfig, sentAt: Instant): Instant =>
  after(sentAt, leaseTime(config));
