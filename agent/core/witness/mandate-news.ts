import type { Instant } from "../time.ts";

/** Why a mandate is not granted yet. Closed: the token reaches status, logs and metrics. */
export type MandateDelay =
  | "store-unreachable"
  | "store-refused"
  /** A fence agent runs. */
  | "fencing"
  | "fence-failed";

/** What a group that wants a mandate hears of it. */
export type MandateNews =
  /**
   * It may be active until then; `null`: no lease vouches for it (fencing alone, or a store that need not
   * answer). Said again with each renewal.
   */
  | {
      readonly kind: "granted";
      readonly deadlineAt: Instant | null;
      /** Only ever grows from one holder to the next, and compares as text. */
      readonly epoch: string | null;
    }
  /** The store answers: somebody else holds the lease. Said again with each such answer. */
  | { readonly kind: "taken"; readonly holder: string | null }
  /**
   * Nothing new. After a `granted`: a renewal was in vain, or it is to be fenced; what was granted holds
   * until its deadline.
   */
  | {
      readonly kind: "waiting";
      readonly because: MandateDelay;
      readonly reason: string;
      readonly remedy: string | null;
    }
  /** What was granted is over. */
  | { readonly kind: "withdrawn"; readonly because: "lapsed" | "lost" | "taken" };
