import type { KernelError } from "./error.ts";

/** What becomes of rules of ours in the kernel's packet filter. */
export type FilterEvent =
  /** Somebody had removed or changed them (nft flush ruleset); they are whole again. */
  | { readonly kind: "restored" }
  /** Somebody had, and the kernel refused to have them back: they hold nothing any more. */
  | { readonly kind: "lost"; readonly error: KernelError };
