import type { Family, IpAddress } from "../address.ts";
import type { Micros } from "../time.ts";

/** Priority of the router that owns the addresses. RFC 9568 §5.2.4. */
export const OWNER_PRIORITY = 255;

/** Priority that tells the others that the active router resigns. RFC 9568 §5.2.4. */
export const RELEASE_PRIORITY = 0;

/** How often and when the addresses are announced (gratuitous ARP, unsolicited NA). */
export interface AnnouncementPolicy {
  /** Frames per address in each set. 1 or more. */
  readonly repeat: number;
  /** From becoming active to the second set; 0: no second set. */
  readonly delay: Micros;
  /** Period of refreshes while active; 0: none. */
  readonly refreshInterval: Micros;
  /** Frames per address in each refresh. */
  readonly refreshRepeat: number;
  /** Frames per address after a lower-priority advertisement; 0: none. */
  readonly lowerPriorityRepeat: number;
  /** From a lower-priority advertisement to its second set; 0: no second set. */
  readonly lowerPriorityDelay: Micros;
}

/** What the machine must know of one virtual router. Plain JSON; an argument of every step. */
export interface VirtualRouter {
  readonly name: string;
  /** Virtual Router Identifier, 1–255. RFC 9568 §5.2.3. */
  readonly vrid: number;
  readonly family: Family;
  readonly version: 2 | 3;
  /** Effective priority, 1–255; 255: the address owner. Already the sum of its contributions. */
  readonly priority: number;
  /** keepalived's `state MASTER`: a sync-group member that does not wait as long as the others. */
  readonly initialActive: boolean;
  /** Advertisement_Interval. v2: whole seconds; v3: 10 ms – 40.95 s. RFC 9568 §6.1. */
  readonly advertisementInterval: Micros;
  /** Advertisement intervals in Active_Down_Interval. The RFC has 3; keepalived lets it be 1–100. */
  readonly downTimerAdverts: number;
  /** Preempt_Mode. RFC 9568 §6.1. */
  readonly preempt: boolean;
  /** From the first lower-priority advertisement to preemption; 0: none. keepalived's keyword. */
  readonly preemptDelay: Micros;
  /** From start to the first decision; advertisements are ignored meanwhile. 0: none. */
  readonly startupDelay: Micros;
  /** Do not answer a lower-priority advertisement at once. Departs from RFC 9568 §6.4.3. */
  readonly lowerPrioNoAdvert: boolean;
  /** Send one more advertisement before yielding to a higher priority. */
  readonly higherPrioSendAdvert: boolean;
  /** As the address owner, ignore every advertisement. */
  readonly ownerIgnoreAdverts: boolean;
  /**
   * With preempt off: when our own timer ran so late that a backup of this priority must have taken
   * over meanwhile, yield. `undefined`: off.
   */
  readonly timerExpiredBackup: number | undefined;
  /** A member of a sync group, or of a mandate, asks its group before it becomes active. */
  readonly inSyncGroup: boolean;
  /** Our own source address, for the tie between equal priorities; unknown while it has none. */
  readonly primaryAddress: IpAddress | undefined;
  /** The addresses are behind a gate in the kernel, which is open for a lease at a time. */
  readonly fenced: boolean;
  readonly announcement: AnnouncementPolicy;
}

/** The address owner always preempts, whatever Preempt_Mode says. RFC 9568 §6.1. */
export const preempts = (router: VirtualRouter): boolean =>
  router.preempt || router.priority === OWNER_PRIORITY;
