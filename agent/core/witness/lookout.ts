import type { Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { earliest } from "../time.ts";
import type { LeaseAnswer } from "./lease-answer.ts";
import type { StoreFailure, StoreView } from "./store-view.ts";

export interface LookoutConfig {
  /** Names of leases that nobody here seeks or has: of the others their own requests tell. */
  readonly idle: readonly string[];
  /** A look that is not answered by then was in vain. */
  readonly requestTime: Micros;
}

/** How the store as a whole is. */
export type StoreCondition = { readonly kind: "unknown" | "serves" } | StoreFailure;

/** Whose a lease is, as far as it was seen. `ours`: this node has it. */
export type LeaseSight =
  | { readonly kind: "free" | "ours" }
  | { readonly kind: "taken"; readonly holder: string | null };

export type LookoutEvent =
  /** There is a store, or other settings of it. */
  | { readonly kind: "opened" }
  | { readonly kind: "looked"; readonly id: number; readonly view: StoreView }
  /** What a request for a lease came to. */
  | { readonly kind: "answered"; readonly name: string; readonly answer: LeaseAnswer }
  /** Nobody here seeks or has this lease any more. */
  | { readonly kind: "rested"; readonly name: string }
  | { readonly kind: "tick" };

/** What the log is told. `urgent`: somebody here wants a lease. */
export type StoreNews =
  | { readonly kind: "trouble"; readonly urgent: boolean; readonly failure: StoreFailure }
  | { readonly kind: "serves-again" };

export type LookoutEffect =
  | {
      readonly kind: "look";
      readonly id: number;
      readonly name: string;
      readonly limit: Micros;
    }
  | { readonly kind: "say"; readonly news: StoreNews };

export interface LookoutState {
  readonly condition: StoreCondition;
  /** Since when it is so. */
  readonly since: Instant | undefined;
  readonly leases: Readonly<Record<string, LeaseSight>>;
  /** The trouble that the log knows of; `undefined`: of none. */
  readonly told: { readonly failure: StoreFailure; readonly urgent: boolean } | undefined;
  readonly toldAt: Instant | undefined;
  /** The log knows of trouble with the store before this one: that this one serves is news. */
  readonly isMending: boolean;
  /** Looks in a row that nobody answered. */
  readonly misses: number;
  /** When the next round of looks begins. */
  readonly lookAt: Instant | undefined;
  readonly look:
    | { readonly id: number; readonly name: string; readonly limitAt: Instant }
    | undefined;
  /** Names that this round has not come to yet. */
  readonly left: readonly string[];
  readonly nextId: number;
  readonly seed: number;
}

export type LookoutTransition = Transition<LookoutState, LookoutEffect>;

/**
 * @param seed a number of this host's own, so that hosts spread their looks.
 * @param isMending it takes the place of one that did not serve.
 */
export const initialLookout = (seed: number, isMending = false): LookoutState => ({
  condition: { kind: "unknown" },
  since: undefined,
  leases: {},
  told: undefined,
  toldAt: undefined,
  isMending,
  misses: 0,
  lookAt: undefined,
  look: undefined,
  left: [],
  nextId: 1,
  seed: seed >>> 0,
});

export const lookoutDeadline = ({ look, lookAt }: LookoutState): Instant | undefined =>
  earliest(look?.limitAt, look === undefined ? lookAt : undefined);
