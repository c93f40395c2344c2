import type { LeaseAnswer } from "./lease-answer.ts";

/** Why a store cannot be had: it is silent, or says that it never will do it. */
export type StoreFailure = Extract<LeaseAnswer, { readonly kind: "unreachable" | "refused" }>;

/**
 * What a look at a lease found, which changed nothing in the store. `free`: it would be given to whoever
 * asks, as far as the store lets that be seen. `taken`: somebody has it, perhaps we ourselves.
 */
export type StoreView =
  | { readonly kind: "free" }
  | { readonly kind: "taken"; readonly holder: string | undefined }
  | StoreFailure;

const UNREACHABLE_REMEDY =
  "see that this node reaches the endpoints of the witness, and that most servers of the store run";

/** What to do about it. */
export const remedyOf = (failure: StoreFailure): string =>
  failure.kind === "refused" ? failure.remedy : UNREACHABLE_REMEDY;
