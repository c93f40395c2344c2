import type { Transition } from "../machine.ts";
import type { TransitionReason } from "./effect.ts";

/**
 * Where a member stands, as far as its group must know. `fault`: it has a fault of its own; `held`:
 * it is in fault for the sake of another member only, and so does not drag the others.
 */
export type MemberStatus = "initialize" | "backup" | "requesting" | "active" | "fault" | "held";

/** Members that are active together or not at all. keepalived's vrrp_sync_group. */
export interface SyncGroup {
  readonly name: string;
  /** Names of the member routers; each belongs to this group only. */
  readonly members: readonly string[];
}

export interface SyncGroupState {
  readonly kind: "initialize" | "backup" | "active" | "fault";
  readonly members: Readonly<Record<string, MemberStatus>>;
}

export type SyncGroupEvent =
  | {
      readonly kind: "member";
      readonly member: string;
      readonly status: MemberStatus;
      readonly reason: TransitionReason;
    }
  /** The members are new: where each of them stands now. */
  | { readonly kind: "configured"; readonly members: Readonly<Record<string, MemberStatus>> };

export type SyncGroupEffect =
  /** Deliver `group-active` to the member. */
  | { readonly kind: "promote"; readonly member: string }
  /** Deliver `group-backup` to the member. */
  | { readonly kind: "demote"; readonly member: string }
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

export const INITIAL_GROUP: SyncGroupState = { kind: "initialize", members: {} };
