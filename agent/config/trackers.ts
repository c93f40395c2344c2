import type { Micros } from "../core/time.ts";
import type { TrackedCheck } from "../core/track/tracking.ts";
import type { Position } from "./position.ts";

export type { TrackedCheck };

/** Who a program runs as. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; `[]`: none. */
  readonly groups: readonly number[];
}

/** A program with its arguments. No shell reads it. */
export interface CommandConfig {
  readonly position: Position;
  /** Absolute path of the program, then its arguments; never empty. */
  readonly argv: readonly string[];
  /** `undefined`: as the agent itself. */
  readonly runAs: RunAs | undefined;
}

/** One vrrp_script. */
export interface ScriptTracker {
  readonly kind: "script";
  readonly position: Position;
  readonly name: string;
  readonly run:
    | { readonly kind: "command"; readonly command: CommandConfig }
    /** `script "policy:NAME/CHECK"`: the verdict of a policy's check; its own rise and fall count. */
    | {
        readonly kind: "policy";
        readonly position: Position;
        readonly policy: string;
        readonly check: string;
      }
    /** It may not run, and so has failed: why. */
    | { readonly kind: "refused"; readonly reason: string };
  readonly interval: Micros;
  readonly timeout: Micros;
  readonly rise: number;
  readonly fall: number;
  /** Failed until it has succeeded. */
  readonly initFail: boolean;
  readonly weight: number;
  readonly reverse: boolean;
}

/** One track_file. */
export interface FileTracker {
  readonly kind: "file";
  readonly position: Position;
  readonly name: string;
  readonly path: string;
  /** To be written at the start; `overwrite`: also where it exists. */
  readonly init: { readonly value: number; readonly overwrite: boolean } | undefined;
  readonly weight: number;
  readonly reverse: boolean;
}

/** One vrrp_track_process. */
export interface ProcessTracker {
  readonly kind: "process";
  readonly position: Position;
  readonly name: string;
  /** Name of the program, or with `fullCommand` or parameters its whole command line. */
  readonly program: string;
  readonly parameters: readonly string[];
  readonly parameterMatch: "none" | "exact" | "initial" | "partial";
  readonly fullCommand: boolean;
  readonly quorum: number;
  readonly quorumMax: number | undefined;
  /** How long it must be gone, or be there, to count so. */
  readonly terminateDelay: Micros;
  readonly forkDelay: Micros;
  readonly weight: number;
  readonly reverse: boolean;
}

export type TrackerConfig = ScriptTracker | FileTracker | ProcessTracker;
