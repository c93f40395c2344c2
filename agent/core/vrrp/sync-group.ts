import type { Transition } from "../machine.ts";
import type { TransitionReason } from "./effect.ts";

/**
 * Where a member stands, as far as its group must know. `fault`: it has a fault of its own; `held`:
 * it is in fault for the sake of another member only, and so does not drag the others.
 */
export type MemberStatus = "initialize" | "backup" | "requesting" | "active" | "fault" | "held";

/**
 * Members that are active together or not at all. keepalived's vrrp_sync_group; also a single router that
 * needs a mandate.
 */
export interface SyncGroup {
  readonly name: string;
  /** Names of the member routers; each belongs to this group only. */
  readonly members: readonly string[];
  /** None of them becomes active without leave of a third party. */
  readonly mandated: boolean;
}

export interface SyncGroupState {
  readonly kind: "initialize" | "backup" | "active" | "fault";
  readonly members: Readonly<Record<string, MemberStatus>>;
  /** Why each of those that are requesting asked last. */
  readonly requests: Readonly<Record<string, TransitionReason>>;
  readonly mandate: "none" | "sought" | "granted";
}

export type SyncGroupEvent =
  | {
      readonly kind: "member";
      readonly member: string;
      readonly status: MemberStatus;
      readonly reason: TransitionReason;
    }
  /** The members are new, or what they need: where each of them stands now. */
  | {
      readonly kind: "configured";
      readonly members: Readonly<Record<string, MemberStatus>>;
      /** None of them has needed a mandate until now. */
      readonly free: boolean;
    }
  | { readonly kind: "mandate-granted" }
  /** What was granted, or kept without, is over. */
  | { readonly kind: "mandate-withdrawn" }
  /** Somebody else has it. Said again with each answer of the store. */
  | { readonly kind: "mandate-taken" };

export type SyncGroupEffect =
  /** Deliver `group-active` to the member. */
  | { readonly kind: "promote"; readonly member: string }
  /** Deliver `group-backup` to the member. */
  | { readonly kind: "demote"; readonly member: string }
  /** Deliver `mandate-lost` to the member. */
  | { readonly kind: "withdraw"; readonly member: string }
  /** Deliver `holder-elsewhere` to the member. */
  | { readonly kind: "call"; readonly member: string }
  /**
   * Said again while it is sought, as a member asks again. `fence`: somebody who went silent may still hold
   * the addresses.
   */
  | { readonly kind: "seek-mandate"; readonly fence: boolean }
  /** The same of active members, who did not need it until now, and go on meanwhile. */
  | { readonly kind: "keep-mandate" }
  /** It is wanted no more: another node may have it once no gate of the members is open. */
  | { readonly kind: "return-mandate" }
  /** Raise or clear the member's `sync-group` fault; its subject is the group's name. */
  | { readonly kind: "raise-fault"; readonly member: string; readonly subject: string }
  | { readonly kind: "clear-fault"; readonly member: string; readonly subject: string }
  | {
      readonly kind: "transition";
      readonly from: SyncGroupState["kind"];
      readonly to: SyncGroupState["kind"];
      readonly reason: TransitionReason;
    };

export type SyncGroupTransition = Transition<SyncGroupState, SyncGroupEffect>;

export const INITIAL_GROUP: SyncGroupState = {
  kind: "initialize",
  members: {},
  requests: {},
  mandate: "none",
};
