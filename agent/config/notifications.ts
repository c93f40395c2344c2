import type { Micros } from "../core/time.ts";
import type { CommandConfig } from "./trackers.ts";

/** notify_… of an instance or a group. */
export interface NotifyConfig {
  readonly active: CommandConfig | undefined;
  readonly backup: CommandConfig | undefined;
  readonly fault: CommandConfig | undefined;
  readonly stop: CommandConfig | undefined;
  /** `true`: notify and the FIFOs are told DELETED, rather than FAULT, when a reload removes it. */
  readonly deleted: CommandConfig | true | undefined;
  /** notify: after the one of the state, with kind, name, state and priority as arguments. */
  readonly any: CommandConfig | undefined;
  /** notify_master_rx_lower_pri; groups have none. */
  readonly lowerPriorityHeard: CommandConfig | undefined;
  readonly mail: boolean;
  /** Changes of the priority go to the FIFOs too. */
  readonly priorityChanges: boolean;
}

export const NO_NOTIFY: NotifyConfig = {
  active: undefined,
  backup: undefined,
  fault: undefined,
  stop: undefined,
  deleted: undefined,
  any: undefined,
  lowerPriorityHeard: undefined,
  mail: false,
  priorityChanges: false,
};

/** A named pipe that events are written to, and the program that reads it. */
export interface FifoConfig {
  readonly path: string;
  /** Who the pipe belongs to when it has to be made; `undefined`: the agent. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** The path of the pipe is added as its last argument. */
  readonly script: CommandConfig | undefined;
  /** Which events: notify_fifo has all, the others those of one kind. */
  readonly events: "all" | "vrrp" | "lvs";
}

/** keepalived's mail settings of global_defs. */
export interface MailConfig {
  readonly from: string;
  readonly to: readonly string[];
  /** `undefined`: the smtp block of holdfast.conf says where. */
  readonly server: { readonly host: string; readonly port: number } | undefined;
  readonly heloName: string | undefined;
  readonly connectTimeout: Micros;
  /** `false`, no_email_faults: none for a transition to FAULT. */
  readonly faults: boolean;
}

export interface TimedCommand {
  readonly command: CommandConfig;
  readonly timeout: Micros;
}

/** What global_defs says of notifications and scripts. */
export interface NotificationConfig {
  readonly fifos: readonly FifoConfig[];
  readonly mail: MailConfig | undefined;
  readonly startupScript: TimedCommand | undefined;
  readonly shutdownScript: TimedCommand | undefined;
}

export const NO_NOTIFICATIONS: NotificationConfig = {
  fifos: [],
  mail: undefined,
  startupScript: undefined,
  shutdownScript: undefined,
};
