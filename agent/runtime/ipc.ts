import type { Config, InstanceConfig, SchedulingConfig } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { BalancingNode } from "../config/kernel-settings.ts";
import type { FenceSettings, MandateConfig, WitnessSettings } from "../config/mandates.ts";
import type { NotificationConfig, NotifyConfig, TimedCommand } from "../config/notifications.ts";
import type { RunOptions } from "../config/run-options.ts";
import type { Settings } from "../config/settings.ts";
import type { TrackerConfig } from "../config/trackers.ts";
import type { BalancingConfig } from "../config/virtual-servers.ts";
import type {
  AgentEvent,
  DirectorCommand,
  DirectorStatus,
  LetterIds,
  ServerOrder,
} from "../control/protocol.ts";
import type { ReloadPlan } from "../control/target.ts";
import type { BfdReport, BfdSnapshot } from "../core/bfd/snapshot.ts";
import type { BoardEntry } from "../core/track/board.ts";
import type { Claim, Reading } from "../core/track/tracking.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { SyncGroupState } from "../core/vrrp/sync-group.ts";
import type { FenceProblem } from "../core/witness/mandate.ts";
import type { MandateNews } from "../core/witness/mandate-news.ts";
import type { StoreReport } from "../core/witness/store-report.ts";
import type { ReservedEntry, WillEntry } from "./wills.ts";

/** Parent and children are always of one build; a mismatch means that files changed under a run. */
export const IPC_VERSION = 1;

export type Role = "vrrp" | "director" | "witness" | "config" | "fence";
/** Those that run as long as the agent; the others do one thing, and end. */
export type ServiceRole = Exclude<Role, "config" | "fence">;

/** What a child says of something that happened; the supervisor numbers, keeps and prints it. */
export type EventReport = Omit<AgentEvent, "sequence"> & { readonly level: LogLevel };

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Why the host or the configuration keeps something from working, and what to do about it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface GroupSnapshot {
  readonly name: string;
  readonly state: SyncGroupState["kind"];
  readonly members: readonly string[];
}

/** A Config without its instances, which travel before it in parts. */
export type ConfigFrame = Omit<Config, "instances">;

/** A message of this many routers is parsed and written in well under a millisecond. */
export const ROUTERS_PER_MESSAGE = 32;

export type ToChild =
  | { readonly kind: "ping"; readonly id: number }
  /** Let go of everything, answer `stopped`, and end. */
  | { readonly kind: "stop" };

export type ToDirector =
  | Extract<ToChild, { readonly kind: "ping" }>
  /** Finish what is under way, run the script last of all, answer `stopped`, and end. */
  | { readonly kind: "stop"; readonly script?: TimedCommand }
  | { readonly kind: "configure"; readonly settings: DirectorSettings }
  /** What happened: the director tells others, and the hooks of policies. */
  | { readonly kind: "event"; readonly report: EventReport }
  /** A vrrp process runs that has heard nothing of this director yet: it is to be told everything. */
  | { readonly kind: "vrrp-configured" }
  | SnapshotPart
  /** Runs the startup script now; answered by `script-ended`. */
  | { readonly kind: "run-script"; readonly id: number; readonly script: TimedCommand }
  /** Answered by `director-status`. */
  | { readonly kind: "status"; readonly id: number }
  /** A command of the control socket that is the director's; answered by `answer`. */
  | {
      readonly kind: "command";
      readonly id: number;
      readonly command: DirectorCommand;
      readonly ids: LetterIds;
      readonly order?: ServerOrder;
    };

/** What the configuration says of the director process and its work. */
export interface DirectorSettings {
  readonly name: string | undefined;
  readonly scheduling: SchedulingConfig;
  /** Where checks look from, and where programs run: the vrrp process's. */
  readonly netNamespace: string | undefined;
  readonly routerId: string;
  readonly policiesDirectory: string | undefined;
  readonly stateDirectory: string;
  readonly trackers: readonly TrackerConfig[];
  readonly notifications: NotificationConfig;
  readonly balancing: BalancingConfig;
  /** What of the instances matters to it. */
  readonly failover: Omit<BalancingNode, "balancing">;
  /** Virtual servers stay in the kernel at a stop. */
  readonly leaveServices: boolean;
  /** Instances and groups, in the order of the configuration. */
  readonly subjects: readonly NotifySubject[];
  readonly settings: Settings;
}

/** An instance or a group whose transitions are told. */
export interface NotifySubject {
  readonly kind: "instance" | "group";
  readonly name: string;
  /** Configured priority; of a group: 0. */
  readonly priority: number;
  readonly notify: NotifyConfig;
}

/** Changes of what the director says, or all of it; at most `ROUTERS_PER_MESSAGE` entries. */
export type TrackingMessage =
  | {
      readonly kind: "readings";
      readonly complete: Completeness;
      /** By `TrackerId`. */
      readonly entries: readonly BoardEntry<Reading>[];
    }
  | {
      readonly kind: "claims";
      readonly complete: Completeness;
      /** By name of the router; each time all of its claims. */
      readonly entries: readonly BoardEntry<readonly Claim[]>[];
    };

/**
 * `no`: changes, which hold at once. Else a part of everything: with the last part it takes the place
 * of all that was said before, and not earlier, so that nothing is missing in between.
 */
export type Completeness = "no" | "part" | "last";

export type FromDirector =
  | FromChild
  | TrackingMessage
  /** The nth event that it heard, from 1, would not be lost with it any more. */
  | { readonly kind: "told"; readonly nth: number }
  /** Answered by parts of a snapshot with this id. */
  | { readonly kind: "snapshot"; readonly id: number }
  | { readonly kind: "script-ended"; readonly id: number; readonly outcome: string | undefined }
  | { readonly kind: "director-status"; readonly id: number; readonly status: DirectorStatus }
  | { readonly kind: "answer"; readonly id: number; readonly result: unknown }
  /** In place of an answer: why there is none. */
  | { readonly kind: "no-answer"; readonly id: number; readonly problem: string };

export type FromChild =
  | { readonly kind: "ready"; readonly version: typeof IPC_VERSION }
  | { readonly kind: "pong"; readonly id: number }
  | { readonly kind: "event"; readonly report: EventReport }
  | { readonly kind: "log"; readonly level: LogLevel; readonly message: string }
  /** It stops by itself, for example on a signal. */
  | { readonly kind: "stopping" }
  | { readonly kind: "stopped" };

export type ToVrrp =
  | ToChild
  | {
      readonly kind: "instances";
      readonly generation: number;
      readonly instances: readonly InstanceConfig[];
    }
  | {
      readonly kind: "configure";
      readonly generation: number;
      readonly frame: ConfigFrame;
      /** New routers wait, for a few seconds at most, for what policies claim. */
      readonly awaitDirector: boolean;
      /** What an earlier process had reserved, by name of the router. */
      readonly reserved: readonly ReservedEntry[];
    }
  | { readonly kind: "snapshot"; readonly id: number }
  | { readonly kind: "journal"; readonly id: number }
  | TrackingMessage
  /** Nobody keeps readings and claims up any more, until a director says everything anew. */
  | { readonly kind: "director-lost" }
  | MandateMessage
  /**
   * A witness process runs that knows of no wish yet: whoever wants a mandate, or has one, says so again,
   * with the same serial. What was granted holds until its deadline.
   */
  | { readonly kind: "witness-lost" }
  /** Log every address that comes to this host or goes. */
  | { readonly kind: "report-addresses" };

export interface SnapshotPart {
  readonly kind: "snapshot";
  readonly id: number;
  readonly routers: readonly RouterSnapshot[];
  readonly sessions?: readonly BfdSnapshot[];
  /** Present in the last part only. */
  readonly groups?: readonly GroupSnapshot[];
  readonly bfdDropped?: BfdReport["dropped"];
}

/** What a group wants of the witness process. */
export type MandateWish =
  | {
      readonly kind: "mandate-wanted";
      readonly mandate: string;
      /** Unique on this host since it booted: news of another one is nobody's. */
      readonly serial: number;
      /** Somebody who went silent may still hold the addresses: it is to be fenced first. */
      readonly fence: boolean;
    }
  /** No gate of the group is open any more: the next node may have it. */
  | { readonly kind: "mandate-unwanted"; readonly mandate: string; readonly serial: number };

export interface MandateMessage {
  readonly kind: "mandate";
  readonly mandate: string;
  /** Of the wish that it answers. */
  readonly serial: number;
  readonly news: MandateNews;
}

/** What the configuration says of the witness process and its work. */
export interface WitnessProcessSettings {
  /** The vrrp process's: a renewal may be late no more than an advertisement. */
  readonly scheduling: SchedulingConfig;
  /** Where the store is asked from: the vrrp process's. */
  readonly netNamespace: string | undefined;
  /** Who holds a lease, as others are shown it: of this run of the agent alone. */
  readonly holder: string;
  readonly mandates: readonly MandateConfig[];
  readonly store: WitnessSettings | undefined;
  readonly secrets: Settings["secrets"];
}

/** What the witness process, which can run nothing, has the supervisor see to. */
export interface FenceRequest {
  readonly kind: "fence";
  readonly id: number;
  /** Names of devices, all of which must succeed, in this order. */
  readonly devices: readonly string[];
}

export interface FenceAnswer {
  readonly kind: "fenced";
  /** Of the request. */
  readonly id: number;
  /** Why nobody may rely on it; `null`: done. */
  readonly problem: FenceProblem | null;
}

export type ToWitness =
  /** `stop`: give every lease back, answer `stopped`, and end. */
  | ToChild
  | { readonly kind: "configure"; readonly settings: WitnessProcessSettings }
  | MandateWish
  | FenceAnswer
  /** The vrrp process is gone, and so is all that it held: every lease is given back. */
  | { readonly kind: "nobody-wants" };

export type FromWitness =
  | FromChild
  | MandateMessage
  | FenceRequest
  /** The store of leases; `null`: nobody here needs one. */
  | { readonly kind: "store"; readonly report: StoreReport | null }
  /** Its first configuration is in force: wishes are heard. */
  | { readonly kind: "witness-ready" };

export type FromVrrp =
  | FromChild
  | MandateWish
  | { readonly kind: "configured"; readonly generation: number; readonly plan: ReloadPlan }
  | { readonly kind: "refused"; readonly generation: number; readonly problem: Problem }
  | SnapshotPart
  /** What to send when this process dies; said of a router when it changes. */
  | { readonly kind: "wills"; readonly entries: readonly WillEntry[] }
  | {
      readonly kind: "journal";
      readonly id: number;
      readonly lines: readonly string[];
      readonly last: boolean;
    };

export interface ToConfig {
  readonly kind: "load";
  readonly options: RunOptions;
}

export type FromConfig =
  | {
      readonly kind: "loaded";
      /** `undefined`: it has errors, and must not run. */
      readonly config: Config | undefined;
      readonly settings: Settings;
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly kind: "unreadable"; readonly problem: Problem };

/** What a process is to fence, and all that it needs for it. */
export interface ToFence {
  readonly kind: "fence";
  readonly devices: readonly FenceSettings[];
  readonly secrets: Settings["secrets"];
  /** Where fence agents run: the vrrp process's. */
  readonly netNamespace: string | undefined;
}

export type FromFence = Omit<FenceAnswer, "id">;

/** Cuts `items` into messages. */
export function* parts<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += ROUTERS_PER_MESSAGE) {
    yield items.slice(at, at + ROUTERS_PER_MESSAGE);
  }
}
