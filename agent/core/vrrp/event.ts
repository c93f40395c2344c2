import type { Advertisement } from "./advertisement.ts";
import type { Fault } from "./fault.ts";
import type { VirtualRouter } from "./virtual-router.ts";

/** Facts that a virtual router hears of. */
export type VrrpEvent =
  | { readonly kind: "startup" }
  | { readonly kind: "shutdown" }
  | { readonly kind: "advertisement"; readonly advertisement: Advertisement }
  /** An advertisement was refused, but its sender claims addresses of this router. */
  | { readonly kind: "foreign-claim"; readonly from: string }
  | { readonly kind: "tick" }
  | { readonly kind: "fault-raised"; readonly fault: Fault }
  | { readonly kind: "fault-cleared"; readonly fault: Fault }
  /** The configuration argument is new: a reload, another effective priority or source address. */
  | { readonly kind: "configured"; readonly previous: VirtualRouter }
  /** The sync group lets its members become active. */
  | { readonly kind: "group-active" }
  /** Another member of the sync group left `active`. */
  | { readonly kind: "group-backup" }
  /** The mandate of its group is over: whoever is active leaves. */
  | { readonly kind: "mandate-lost" }
  /** It asked for leave, and the store of leases says that somebody else has it. */
  | { readonly kind: "holder-elsewhere" }
  /** Nobody on the segment answers for the addresses, which are not reachable here yet. */
  | { readonly kind: "holder-silent" }
  /** No advertisement left for so long that the gate has shut: somebody may have taken over. */
  | { readonly kind: "lease-lapsed" }
  /** The machine slept, and all its clocks with it: of what was heard and advertised before nothing counts. */
  | { readonly kind: "suspended" };
