import type { Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { seconds } from "../time.ts";
import type { MandateNews } from "../witness/mandate-news.ts";

/*
 * The side of a mandate that wants it. A runtime, or a simulator, keeps a state for each mandate beside the
 * state of its group (sync-group-step.ts), and carries one's effects to the other:
 *
 *   group's seek-mandate, keep-mandate, return-mandate  → `sought`, `kept`, `returned` of `stepMandate`
 *   `tell-group`                          → the event of that name of `stepGroup`
 *   `say`                                 → the witness process, whose answers come back as `news`
 *   `await-shut`                          → `gates-shut`, once no gate of a member is open for sure
 *   `limit`                               → gates are to be opened again up to `mandateLimit`
 */

/** What the witness is asked for. */
export interface Wish {
  /** Unique on this host since it booted. */
  readonly serial: number;
  /** Somebody who went silent may still hold the addresses: it is to be fenced first. */
  readonly fence: boolean;
}

export type MandateDelayNews = Extract<MandateNews, { readonly kind: "waiting" }>;

export type MandatePhase =
  | { readonly kind: "none" }
  | {
      readonly kind: "sought";
      readonly wish: Wish;
      readonly delay: MandateDelayNews | undefined;
      /** The store says that somebody has it: who, if it knows. */
      readonly taken: { readonly holder: string | null } | undefined;
    }
  | GrantedPhase
  /** No gate is to be opened any more; those that are open are being shut. */
  | {
      readonly kind: "returning";
      readonly wish: Wish;
      readonly epoch: string | null;
      /** It is wanted again: afterwards, and by a wish of its own. */
      readonly next: { readonly fence: boolean } | undefined;
    };

export interface GrantedPhase {
  readonly kind: "granted";
  readonly wish: Wish;
  /** `null`: no lease vouches for it. */
  readonly deadlineAt: Instant | null;
  readonly epoch: string | null;
  /** A renewal was in vain since. */
  readonly delay: MandateDelayNews | undefined;
  /**
   * The store cannot be reached, and all tracked BFD sessions are up: it goes on without a deadline for as
   * long as both hold.
   */
  readonly failsafe: boolean;
  /**
   * A reload asked for a lease that it did not need until then. Nobody vouches for it yet: at its deadline
   * it is over.
   */
  readonly grace: boolean;
}

/**
 * So long whoever was active before a reload stays so while it asks for a lease that it needs since: a witness
 * process starts meanwhile, and a sound store has been asked more than once. It is the usual ttl: it goes on
 * for as long as with a lease that was renewed at the reload, and can be renewed no more.
 */
export const GRACE: Micros = seconds(10);

export interface MandateState {
  /** Of the last wish. */
  readonly serial: number;
  readonly phase: MandatePhase;
}

/** What holds besides. */
export interface MandateSurroundings {
  /** It may go on without the store: so configured, and all BFD sessions that its members track are up. */
  readonly failsafe: boolean;
  /**
   * What is needed of a store: `undefined` nothing; `advisory`: only what it says counts, not that it says
   * nothing.
   */
  readonly lease: "advisory" | "required" | undefined;
}

export type MandateEvent =
  /** The group asks for it. */
  | { readonly kind: "sought"; readonly fence: boolean }
  /** The group asks for it, and is active, as it was before a reload asked for a mandate. */
  | { readonly kind: "kept" }
  /** The group wants it no more. */
  | { readonly kind: "returned" }
  | { readonly kind: "news"; readonly serial: number; readonly news: MandateNews }
  /** Whoever heard of our wishes is gone; the next one knows of none. */
  | { readonly kind: "witness-lost" }
  /** No gate of a member has been open since the wish of this serial was given up. */
  | { readonly kind: "gates-shut"; readonly serial: number }
  /** A reload: what it takes may be new. */
  | { readonly kind: "configured" }
  /** The machine slept, and the clock of deadlines with it. */
  | { readonly kind: "suspended" }
  /** The surroundings are new, or a deadline has come. */
  | { readonly kind: "tick" };

/** Why what was granted is over. Closed: the token reaches logs and metrics. */
export type WithdrawalReason =
  | "lapsed"
  | "lost"
  | "taken"
  | "session-down"
  /** A reload asked for it, and nothing came in time. */
  | "unanswered"
  | "suspended";

export type MandateEffect =
  | {
      readonly kind: "say";
      readonly what: "mandate-wanted" | "mandate-unwanted";
      readonly wish: Wish;
    }
  | {
      readonly kind: "tell-group";
      readonly event: "mandate-granted" | "mandate-withdrawn" | "mandate-taken";
    }
  /** Until when gates may be open is new. */
  | { readonly kind: "limit" }
  | { readonly kind: "await-shut"; readonly serial: number }
  /** For people; the group was told. */
  | {
      readonly kind: "withdrawn";
      readonly because: WithdrawalReason;
      /** What was said last of why nothing came. */
      readonly delay: MandateDelayNews | undefined;
    }
  | { readonly kind: "grace"; readonly begins: boolean }
  | { readonly kind: "failsafe"; readonly begins: boolean };

export type MandateTransition = Transition<MandateState, MandateEffect>;

export const INITIAL_MANDATE: MandateState = { serial: 0, phase: { kind: "none" } };
