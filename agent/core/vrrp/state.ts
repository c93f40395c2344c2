import type { IpAddress } from "../address.ts";
import type { Instant, Micros } from "../time.ts";
import type { Contest } from "./contest.ts";
import type { Fault } from "./fault.ts";
import type { Held } from "./held.ts";

/** Who was last heard to be active. */
export interface HeardActive {
  readonly address: IpAddress;
  readonly priority: number;
}

/** Not taking part yet. RFC 9568 §6.4.1; with a startup delay, `startAt` ends it. */
export interface InitializeState {
  readonly kind: "initialize";
  readonly faults: readonly Fault[];
  readonly startAt: Instant | undefined;
}

/** Asked of the sync group: leave to become active. */
export interface LeaveRequest {
  /** Nobody advertised since: whoever was active when it was asked is silent. */
  readonly unheard: boolean;
  /**
   * A holder elsewhere is asked to yield, by advertisements of ours: when the next one leaves, and until
   * when they do.
   */
  readonly calls: { readonly at: Instant; readonly until: Instant } | undefined;
  /** From when until when the store said that somebody else has it, whom nobody heard meanwhile. */
  readonly elsewhere: { readonly since: Instant; readonly until: Instant } | undefined;
}

/** Watching the active router. RFC 9568 §6.4.2. */
export interface BackupState {
  readonly kind: "backup";
  /** When the active router counts as dead. */
  readonly activeDownAt: Instant;
  /** Active_Adver_Interval: what the active router says, or our own. */
  readonly activeAdverInterval: Micros;
  /** Who advertised last; also a lower priority that we are about to preempt. */
  readonly active: HeardActive | undefined;
  /** The active router resigned; `activeDownAt` is one skew away. */
  readonly resigned: boolean;
  /** When preemption is allowed; set by the first lower-priority advertisement. */
  readonly preemptAt: Instant | undefined;
  readonly request: LeaveRequest | undefined;
  /** Whose gate may be open. `undefined` where addresses are not fenced. */
  readonly held: Held | undefined;
}

/** Somebody else who claims the addresses while we are active. */
export interface Rival {
  /** Who was heard of it last. */
  readonly from: string;
  /** A lower priority advertises since then, without a pause; `undefined`: all that was heard was refused. */
  readonly since: Instant | undefined;
  /** When it has been silent for long enough that hosts are told anew; `undefined`: they were. */
  readonly quietAt: Instant | undefined;
  /** When it has been silent for long enough to have ended. No earlier than `quietAt`. */
  readonly endsAt: Instant;
  /** An operator was told of it. */
  readonly alarmed: boolean;
}

/** Holding the addresses. RFC 9568 §6.4.3. */
export interface ActiveState {
  readonly kind: "active";
  readonly adverAt: Instant;
  /** When the last advertisement left; limits those that others provoke to one per 10 ms. */
  readonly advertisedAt: Instant;
  /** When the addresses were last announced; limits the announcements that others provoke. */
  readonly announcedAt: Instant;
  /** The second set of announcements, and how many frames it has. */
  readonly announceAt: Instant | undefined;
  readonly announceRepeat: number;
  readonly refreshAt: Instant | undefined;
  readonly rival: Rival | undefined;
  /** `undefined`: the gate is open, or there is none. */
  readonly contest: Contest | undefined;
}

/** Unable to take part; every fault that holds. keepalived's FAULT. */
export interface FaultState {
  readonly kind: "fault";
  readonly faults: readonly Fault[];
}

export type VrrpState = InitializeState | BackupState | ActiveState | FaultState;

export const INITIAL: VrrpState = { kind: "initialize", faults: [], startAt: undefined };
