import type { Config, InstanceConfig, SchedulingConfig } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { AgentEvent } from "../control/protocol.ts";
import type { ReloadPlan } from "../control/target.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { SyncGroupState } from "../core/vrrp/sync-group.ts";
import type { RunOptions } from "./options.ts";

/** Parent and children are always of one build; a mismatch means that files changed under a run. */
export const IPC_VERSION = 1;

export type Role = "vrrp" | "director" | "config";
export type ServiceRole = Exclude<Role, "config">;

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
  | ToChild
  | { readonly kind: "configure"; readonly settings: DirectorSettings };

/** What the configuration says of the director process itself. */
export interface DirectorSettings {
  readonly name: string | undefined;
  readonly scheduling: SchedulingConfig;
}

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
  | { readonly kind: "configure"; readonly generation: number; readonly frame: ConfigFrame }
  | { readonly kind: "snapshot"; readonly id: number }
  | { readonly kind: "journal"; readonly id: number }
  /** Log every address that comes to this host or goes. */
  | { readonly kind: "report-addresses" };

export type FromVrrp =
  | FromChild
  | { readonly kind: "configured"; readonly generation: number; readonly plan: ReloadPlan }
  | { readonly kind: "refused"; readonly generation: number; readonly problem: Problem }
  | {
      readonly kind: "snapshot";
      readonly id: number;
      readonly routers: readonly RouterSnapshot[];
      /** Present in the last part only. */
      readonly groups?: readonly GroupSnapshot[];
    }
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
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly kind: "unreadable"; readonly problem: Problem };

/** Cuts `items` into messages. */
export function* parts<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let at = 0; at < items.length; at += ROUTERS_PER_MESSAGE) {
    yield items.slice(at, at + ROUTERS_PER_MESSAGE);
  }
}
