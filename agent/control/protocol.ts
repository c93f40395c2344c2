import type { Diagnostic } from "../config/diagnostic.ts";
import type { BfdReport } from "../core/bfd/snapshot.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { SyncGroupState } from "../core/vrrp/sync-group.ts";
import type { StoreReport } from "../core/witness/store-report.ts";

/** Rises when an older client could misread an answer. */
export const PROTOCOL_VERSION = 1;

export type DirectorCommand =
  | "notifications"
  | "retry-notifications"
  | "discard-notifications"
  | "metrics"
  | "services"
  | ServerCommand;

/** What an operator does to real servers. It holds over a reload and a restart, until `undrain`. */
export type ServerCommand = "drain" | "undrain" | "disable" | "weight" | "add" | "remove";

export interface ServerOrder {
  /** `[SERVICE/]ADDRESS[:PORT]`: all real servers that it fits; of `add` the one that is to be. */
  readonly server: string;
  /** Of `weight`, and of `add` in place of that of the model: 0–2,147,483,647. */
  readonly weight?: number;
  /** Of `add`: the real server, `ADDRESS[:PORT]`, whose method and checks it is to have. */
  readonly like?: string;
  /** Who wants it, for those who look at it later. */
  readonly who: string;
}

/** What an order came to. */
export interface ServerOrderOutcome {
  readonly servers: readonly { readonly service: string; readonly server: string }[];
  /** What whoever gave it should know, a line each. */
  readonly notes?: readonly string[];
}

/** Of notifications that were given up. */
export type LetterIds = readonly number[] | "all";

/** One line of JSON from client to agent; the answer repeats `id`. */
export type ControlRequest =
  | { readonly id: number; readonly command: "status" }
  | { readonly id: number; readonly command: "reload" }
  | { readonly id: number; readonly command: "journal" }
  /** Asks the director. `ids`: which notifications are to be retried or discarded; else `all`. */
  | {
      readonly id: number;
      readonly command: Exclude<DirectorCommand, ServerCommand>;
      readonly ids: LetterIds;
    }
  | { readonly id: number; readonly command: ServerCommand; readonly order: ServerOrder }
  /** Answered by `ok`, then by one event a line until the client hangs up (`follow`). */
  | { readonly id: number; readonly command: "events"; readonly follow: boolean };

/** One line of JSON from agent to client. */
export type ControlAnswer =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string }
  | { readonly id: number; readonly event: AgentEvent };

export interface ProcessStatus {
  /** `null` while it is not running. */
  readonly pid: number | null;
  readonly restarts: number;
  /** Wall-clock milliseconds of the last start. */
  readonly startedAt: number | null;
}

/** `holdfast status --json`. */
export interface Status {
  readonly protocol: typeof PROTOCOL_VERSION;
  readonly version: string;
  readonly node: string;
  /** router_id, else the host's name; `null` before a configuration was accepted. */
  readonly routerId: string | null;
  readonly processes: Readonly<Record<"supervisor" | "vrrp" | "director", ProcessStatus>> & {
    /** Where groups need a mandate. */
    readonly witness?: ProcessStatus;
  };
  readonly configuration: {
    readonly file: string;
    /** Counts accepted configurations, from 1. */
    readonly generation: number;
    readonly loadedAt: number;
    /** The last file was refused and an earlier one runs on. */
    readonly refused: readonly Diagnostic[];
    readonly warnings: number;
  };
  /** `false`: the vrrp process did not answer; `routers` is what it last said. */
  readonly current: boolean;
  readonly routers: readonly RouterSnapshot[];
  /** `null` while the director does not answer. */
  readonly director: DirectorStatus | null;
  readonly groups: readonly {
    readonly name: string;
    readonly state: SyncGroupState["kind"];
    readonly members: readonly string[];
  }[];
  /** BFD sessions. */
  readonly bfd: BfdReport;
  /** The store of leases, where groups need one and the witness process runs. */
  readonly store?: StoreReport;
}

/** What the director does. */
export interface DirectorStatus {
  readonly checks: readonly CheckStatus[];
  readonly policies: readonly PolicyStatus[];
  readonly notifications: {
    readonly queued: number;
    readonly delivered: number;
    /** Given up; `holdfast notifications` shows them. */
    readonly dead: number;
  };
  /** Virtual servers. */
  readonly services: readonly ServiceStatus[];
  /** Why the kernel's load balancer cannot be had; `null`: it can, or is not needed. */
  readonly ipvs: string | null;
}

/** A virtual server. */
export interface ServiceStatus {
  /** `[192.0.2.1]:tcp:80`. */
  readonly name: string;
  /** The kernel's services: `tcp 192.0.2.1:80`. */
  readonly targets: readonly string[];
  readonly scheduler: string;
  readonly quorum: {
    readonly up: boolean;
    /** Live weight, and what is configured. */
    readonly weight: number;
    readonly wanted: number;
    readonly hysteresis: number;
  };
  /** `active`: it takes the traffic. */
  readonly sorryServer: { readonly server: string; readonly active: boolean } | null;
  /** Real servers that the guard against mass failures holds in the pool. */
  readonly held: number;
  /** Its checks stand still, as its address is not on this host (ha_suspend). */
  readonly suspended: boolean;
  /** Not configured any more; its real servers finish their connections. */
  readonly retiring: boolean;
  /** What the kernel refuses of it. */
  readonly refused: readonly string[];
  readonly realServers: readonly RealServerStatus[];
}

export interface RealServerStatus {
  /** `10.0.0.1:80`. */
  readonly server: string;
  /** `removed`: it is in the file, and an operator took it away. */
  readonly state: "up" | "down" | "held" | "leaving" | "removed";
  readonly reason: string;
  /** Wall-clock milliseconds of the last change; `null` before the first one. */
  readonly since: number | null;
  readonly configuredWeight: number;
  /** What the kernel is to have, and has; `null`: it is not in the pool. */
  readonly weight: number | null;
  readonly kernelWeight: number | null;
  /** As they were counted last; `null`: not yet. */
  readonly connections: { readonly active: number; readonly inactive: number } | null;
  /** What an operator said of it. */
  readonly override: {
    readonly kind: "drain" | "disable" | "weight";
    readonly weight?: number;
    readonly who: string;
    /** Wall-clock milliseconds. */
    readonly at: number;
  } | null;
  /** It is not as the file has it: an operator added it, or took it away. */
  readonly change: {
    readonly kind: "added" | "removed";
    readonly who: string;
    /** Wall-clock milliseconds. */
    readonly at: number;
    /** Whose method and checks it has; `null`: nobody's. */
    readonly like: string | null;
  } | null;
  /** What policies say of it, the one that said it last at the end. */
  readonly contributions: readonly ServerContribution[];
  readonly checks: readonly ServerCheckStatus[];
}

/** A weight that a policy gives a real server, or that it takes it out. */
export interface ServerContribution {
  /** `policy NAME`, `policy NAME/CHECK`, `policy NAME balance`. */
  readonly source: string;
  /** `balance`: one of the weights of the whole service. */
  readonly kind: "weight" | "balance" | "down";
  /** `null`: it takes the server out. */
  readonly weight: number | null;
  /** Wall-clock milliseconds: since when it says so. */
  readonly since: number;
}

export interface ServerCheckStatus {
  /** `tcp`, `http`, `policy`. */
  readonly kind: string;
  readonly verdict: "unknown" | "up" | "down";
  /** Of the last run, also while it does not change the verdict. */
  readonly reason: string;
  readonly runs: number;
  readonly failures: number;
  /** Failed runs in a row, up to the last one. */
  readonly failing: number;
  /** Milliseconds of the last run. */
  readonly lastMs: number | null;
  /**
   * Of the last 64 runs that succeeded, within 3.5 %: half took no longer, 99 % took no longer; `null`: none
   * has succeeded, or it has no turns of its own.
   */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** `holdfast notifications --json`. */
export interface NotificationsReport {
  /** Who is told, by way of the outbox. */
  readonly targets: readonly {
    readonly target: string;
    readonly queued: number;
    /** Since the director was started. */
    readonly delivered: number;
    readonly dead: number;
    /** Of the last try, if it failed. */
    readonly lastError: { readonly at: number; readonly reason: string } | null;
    /** Wall-clock milliseconds; `null` while nothing waits for a next try. */
    readonly nextTryAt: number | null;
  }[];
  /** Given up, oldest first. */
  readonly dead: readonly {
    readonly id: number;
    readonly target: string;
    readonly source: string;
    readonly title: string;
    readonly at: number;
    readonly reason: string;
    readonly diedAt: number;
  }[];
  /** Since the director was started, for want of room. */
  readonly dropped: number;
}

export interface CheckStatus {
  /** `script chk_nginx`, `policy nginx/alive`. */
  readonly name: string;
  readonly verdict: "unknown" | "up" | "down";
  readonly stale: boolean;
  /** Of the last run, also while it does not change the verdict. */
  readonly reason: string;
  /** Wall-clock milliseconds of the last change; `null` before the first verdict. */
  readonly since: number | null;
  readonly runs: number;
  readonly failures: number;
  /** Milliseconds of the last run. */
  readonly lastMs: number | null;
}

export interface PolicyStatus {
  readonly name: string;
  readonly file: string;
  readonly state: "running" | "refused" | "quarantined";
  /** Counts versions that ran, from 1; 0: none yet. */
  readonly version: number;
  readonly loadedAt: number | null;
  /** Why the file as it is now does not run; an earlier version may. */
  readonly problems: readonly string[];
  readonly strikes: number;
  readonly checks: readonly string[];
}

/** One fact of `holdfast events`; `sequence` has no gaps within one run of the agent. */
export interface AgentEvent {
  readonly sequence: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly kind:
    | "transition"
    | "group-transition"
    | "alarm"
    | "priority"
    | "configuration"
    | "process"
    | "check"
    | "policy"
    | "peer"
    | "notification"
    | "real-server"
    | "quorum"
    | "balancing"
    | "bfd";
  /** The router, group, process or file it is about. */
  readonly subject: string;
  /** One line for people. */
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}
