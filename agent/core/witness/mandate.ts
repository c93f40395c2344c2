import type { Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { micros, seconds } from "../time.ts";
import type { MandateNews } from "./mandate-news.ts";
import type { RequestKind, StoreEvent, WitnessConfig, WitnessState } from "./witness.ts";
import { initialWitness } from "./witness.ts";

/** What a mandate takes. */
export interface MandateRules {
  /** `undefined`: no lease. */
  readonly lease: (WitnessConfig & { readonly failsafe: boolean }) | undefined;
  /** There is something to fence with. */
  readonly fences: boolean;
}

export type MandateEvent =
  | { readonly kind: "wanted"; readonly serial: number; readonly fence: boolean }
  | { readonly kind: "unwanted"; readonly serial: number }
  /** Whoever wanted it is gone, and holds nothing any more. */
  | { readonly kind: "nobody-wants" }
  /** A reload: an operator may have mended what failed. */
  | { readonly kind: "configured" }
  | StoreEvent
  /** `problem`: why nobody may rely on it; `undefined`: done. */
  | { readonly kind: "fenced"; readonly run: number; readonly problem: FenceProblem | undefined }
  | { readonly kind: "tick" };

export interface FenceProblem {
  readonly reason: string;
  readonly remedy: string | null;
}

export type MandateEffect =
  | { readonly kind: RequestKind; readonly id: number; readonly limit: Micros }
  /** All devices, in their order. It is let finish, whatever becomes of the wish. */
  | { readonly kind: "fence"; readonly run: number }
  | { readonly kind: "tell"; readonly serial: number; readonly news: MandateNews };

/** What the store lets us do; `null`: it vouches for nothing. */
export interface Leave {
  readonly deadlineAt: Instant | null;
  readonly epoch: string | null;
}

/** Whom a fencing was for: the next holding of a lease may be in another one's place. */
export interface Occasion {
  readonly serial: number;
  readonly epoch: string | null;
}

export type Fencing =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly run: number; readonly occasion: Occasion }
  /** It failed. The lease is given back meanwhile: another node may reach the device. */
  | { readonly kind: "pausing"; readonly until: Instant; readonly problem: FenceProblem };

export interface MandateState {
  readonly wish: { readonly serial: number; readonly fence: boolean } | undefined;
  /**
   * `lapsed`: it was granted, and its deadline passed while the store was silent; whoever is failsafe goes
   * on. `spent`: it was granted and is over; only another wish is granted again.
   */
  readonly grant: "none" | "granted" | "lapsed" | "spent";
  readonly leave: Leave | undefined;
  readonly witness: WitnessState;
  readonly fencing: Fencing;
  /** Fencings in vain, in a row. */
  readonly failures: number;
  /** What the last success was for. */
  readonly fenced: Occasion | undefined;
  /** Of this wish. */
  readonly told: MandateNews | undefined;
  readonly nextRun: number;
}

export type MandateTransition = Transition<MandateState, MandateEffect>;

/** @param seed a number of this host's own, so that hosts spread their requests. */
export const initialMandate = (seed: number): MandateState => ({
  wish: undefined,
  grant: "none",
  leave: undefined,
  witness: initialWitness(seed),
  fencing: { kind: "idle" },
  failures: 0,
  fenced: undefined,
  told: undefined,
  nextRun: 1,
});

const FIRST_PAUSE = seconds(5);
const LONGEST_PAUSE = seconds(60);

/** After so many fencings in vain. */
export const pauseAfter = (failures: number): Micros =>
  micros(Math.min(FIRST_PAUSE * 2 ** Math.min(failures - 1, 8), LONGEST_PAUSE));

/** Nothing is under way, and the store holds nothing for us. */
export const isAtRest = ({ wish, witness, fencing }: MandateState): boolean =>
  wish === undefined &&
  witness.request === undefined &&
  !witness.mayHold &&
  fencing.kind !== "running";
