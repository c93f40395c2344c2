import type { GlobalConfig } from "../config/config.ts";
import type { LastWill } from "../ports/last-will.ts";
import type { Later, ServiceNotifier, StartProcess } from "../ports/processes.ts";
import type { Role } from "./ipc.ts";
import type { Log } from "./log.ts";
import type { StateStore } from "./state-store.ts";

/** What the supervisor needs of the world. */
export interface SupervisorPorts {
  readonly start: StartProcess<Role>;
  readonly later: Later;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  readonly wallClock: () => number;
  readonly pid: number;
  readonly version: string;
  readonly nodeVersion: string;
  readonly log: Log;
  readonly notifier: ServiceNotifier;
  readonly state: StateStore;
  readonly lastWill: LastWill;
  /** Where use_pid_dir puts pid files; keepalived's place by default. */
  readonly pidDirectory?: string;
  /** Applies name and umask to this process. */
  readonly prepare: (global: GlobalConfig) => void;
}
