import type { TrackerConfig } from "../../config/trackers.ts";
import type { CheckStatus } from "../../control/protocol.ts";
import type { Reading } from "../../core/track/tracking.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RunProgram } from "../../ports/programs.ts";
import type { ProcessTable, WatchFile } from "../../ports/watches.ts";
import type { Schedule } from "../schedule.ts";
import type { Outlet } from "./part.ts";

/** What a tracker of one kind needs, and whom it tells. */
export interface TrackerWorld {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly run: RunProgram;
  readonly watchFile: WatchFile;
  /** Opened when it is first asked for. Throws a KernelError. */
  readonly processes: () => ProcessTable;
  readonly onPolicyVerdict: Outlet["onPolicyVerdict"];
  readonly warn: (message: string) => void;
  /** What it finds, whenever that is something else. */
  readonly found: (reading: Reading) => void;
}

/** What a tracker knows of its own work; the rest of its status follows from its readings. */
export type TrackerFigures = Pick<CheckStatus, "runs" | "failures" | "lastMs">;

/** A tracker at work. */
export interface Tracker<Config extends TrackerConfig = TrackerConfig> {
  /** Goes on with another configuration; `false`: that is another tracker. */
  reconfigure(config: Config): boolean;
  figures(): TrackerFigures;
  close(): void;
}
