import type { Family, IpAddress } from "../address.ts";
import type { MandateDelay } from "../witness/mandate-news.ts";
import type { ClaimAlarm } from "./claim.ts";
import type { DropReason } from "./drop-reason.ts";
import type { TransitionReason, VrrpAlarm } from "./effect.ts";
import type { Fault } from "./fault.ts";
import type { PeerAlarm } from "./peers.ts";
import type { HeardActive, VrrpState } from "./state.ts";

/** One named part of an effective priority. */
export interface PriorityContribution {
  /** For example `track_interface eth1`. */
  readonly source: string;
  /** What it adds now; negative: takes away. */
  readonly weight: number;
  /** Wall-clock milliseconds since when it has this weight. */
  readonly since: number;
}

/** A router that was heard on this virtual router's segment. */
export interface PeerSnapshot {
  readonly address: IpAddress;
  readonly priority: number;
  /** Its Max Advertise Interval, microseconds. */
  readonly advertisementInterval: number;
  readonly checksum: "message" | "pseudo-header" | undefined;
  /** Its address list equals ours. */
  readonly sameAddresses: boolean;
  readonly advertisements: number;
  /** Wall-clock milliseconds. */
  readonly lastHeardAt: number;
}

export interface TransitionSnapshot {
  readonly from: VrrpState["kind"];
  readonly to: VrrpState["kind"];
  readonly reason: TransitionReason;
  readonly faults: readonly Fault[];
  /** Wall-clock milliseconds. */
  readonly at: number;
}

export interface AddressSnapshot {
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly interface: string;
  /** On this host now, put there by us. */
  readonly installed: boolean;
  /** Carried in advertisements. */
  readonly advertised: boolean;
}

/** How a router is kept from being reachable under addresses that another one has taken over. */
export interface FencingSnapshot {
  /** As configured. */
  readonly mode: "auto" | "gate" | "lifetime" | "off";
  /** What holds now. Lifetimes do not exclude that two nodes answer for a while. */
  readonly kind: "gate" | "lifetime" | "off";
  /** `null` while it holds no addresses, or has no gate. */
  readonly gate: {
    /** `contested`: shut, as somebody else may still be reachable. */
    readonly state: "open" | "shut" | "contested";
    /** Microseconds until the kernel shuts it by itself. */
    readonly remaining: number;
    /** Microseconds that the kernel may learn of an extension late. */
    readonly margin: number;
  } | null;
}

/** Leave of a third party, without which a router does not become active. */
export interface MandateSnapshot {
  /** Of the sync group, or of the router that is in none. */
  readonly name: string;
  /** Of the lease; `null`: it needs none, only fencing. */
  readonly mode: "advisory" | "required" | null;
  /** Fence devices, in their order. */
  readonly fences: readonly string[];
  /** `failsafe`: granted, and its store cannot be reached. */
  readonly state: "none" | "sought" | "granted" | "failsafe";
  /** Of the lease: it only ever grows from one holder to the next. */
  readonly epoch: string | null;
  /** Microseconds until it ends, unless it is renewed; `null`: no lease vouches for it. */
  readonly remaining: number | null;
  /** Why it is not granted yet, or not renewed. */
  readonly waiting: {
    readonly because: MandateDelay;
    readonly reason: string;
    readonly remedy: string | null;
  } | null;
  /** It is sought, and somebody else has it: `holder`, if the store knows. */
  readonly taken: boolean;
  readonly holder: string | null;
}

/** All that a person or a program can see of one virtual router on this node. Plain JSON. */
export interface RouterSnapshot {
  readonly name: string;
  readonly vrid: number;
  readonly family: Family;
  readonly version: 2 | 3;
  readonly interface: string | null;
  readonly state: VrrpState["kind"];
  readonly priority: {
    readonly base: number;
    readonly effective: number;
    readonly contributions: readonly PriorityContribution[];
  };
  readonly preempt: boolean;
  /** Microseconds. */
  readonly advertisementInterval: number;
  readonly syncGroup: string | null;
  readonly addresses: readonly AddressSnapshot[];
  readonly fencing: FencingSnapshot;
  /** `null`: it needs none. */
  readonly mandate: MandateSnapshot | null;
  readonly faults: readonly Fault[];
  /** The active router as heard; `null` while it is this node or unknown. */
  readonly active: HeardActive | null;
  readonly lastTransition: TransitionSnapshot | null;
  readonly peers: readonly PeerSnapshot[];
  readonly counters: RouterCounters;
}

/** What the host tells that an operator should know of a router. Closed; also the counter's name. */
export type HostAlarm =
  /** While it is active, another host answers for an address of its. */
  | "address-claimed-elsewhere"
  /** Somebody removed the rules of the gate in front of its addresses; they were put back. */
  | "gate-restored";

/** Counts since the process started. */
export interface RouterCounters {
  readonly advertisementsSent: number;
  readonly advertisementsReceived: number;
  readonly priorityZeroSent: number;
  readonly priorityZeroReceived: number;
  readonly becameActive: number;
  readonly released: number;
  readonly sendErrors: number;
  /** Extensions of the lease that reached the kernel too late: the gate was shut instead. */
  readonly gateLate: number;
  /** Leases that ran out while the router was active. */
  readonly leasesLapsed: number;
  /** It was active, and its mandate ended. */
  readonly mandatesLost: number;
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
  readonly alarms: Readonly<Partial<Record<AlarmName, number>>>;
  /** When each was last raised. */
  readonly alarmTimes: Readonly<Partial<Record<AlarmName, AlarmTime>>>;
}

export type AlarmName = VrrpAlarm | PeerAlarm | ClaimAlarm | HostAlarm;

export interface AlarmTime {
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** It is one whose end is noticed, and has not ended. */
  readonly lasts: boolean;
}
