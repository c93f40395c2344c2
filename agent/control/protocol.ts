import type { Diagnostic } from "../config/diagnostic.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { SyncGroupState } from "../core/vrrp/sync-group.ts";

/** Rises when an older client could misread an answer. */
export const PROTOCOL_VERSION = 1;

export type DirectorCommand =
  | "notifications"
  | "retry-notifications"
  | "discard-notifications"
  | "metrics";

/** Of notifications that were given up. */
export type LetterIds = readonly number[] | "all";

/** One line of JSON from client to agent; the answer repeats `id`. */
export type ControlRequest =
  | { readonly id: number; readonly command: "status" }
  | { readonly id: number; readonly command: "reload" }
  | { readonly id: number; readonly command: "journal" }
  /** Asks the director. `ids`: which notifications are to be retried or discarded; else `all`. */
  | { readonly id: number; readonly command: DirectorCommand; readonly ids: LetterIds }
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
  readonly processes: Readonly<Record<"supervisor" | "vrrp" | "director", ProcessStatus>>;
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
    | "notification";
  /** The router, group, process or file it is about. */
  readonly subject: string;
  /** One line for people. */
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}
