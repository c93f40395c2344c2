import { join } from "node:path";
import type { GlobalConfig } from "../config/config.ts";
import type { RunOptions } from "../config/run-options.ts";
import type { ServiceRole } from "./ipc.ts";
import { removePidFile, writePidFile } from "./state-store.ts";

export type PidRole = ServiceRole | "supervisor";

/** As keepalived names them, for scripts that look for them. */
const NAMES: Readonly<Record<PidRole, string>> = {
  supervisor: "keepalived",
  vrrp: "vrrp",
  director: "checkers",
  witness: "witness",
};

/** The files that say which processes run: named on the command line, else by the configuration. */
export class PidFiles {
  readonly #options: RunOptions["pidFiles"];
  readonly #directory: string;
  readonly #problem: (message: string) => void;
  readonly #running = new Map<PidRole, number>();
  readonly #written = new Map<PidRole, string>();
  #global: Pick<GlobalConfig, "usePidDirectory" | "instanceName"> | undefined;

  /** `directory`: where use_pid_dir and instance put them. */
  constructor(
    options: RunOptions["pidFiles"],
    directory: string,
    problem: (message: string) => void,
  ) {
    this.#options = options;
    this.#directory = directory;
    this.#problem = problem;
  }

  configure(global: Pick<GlobalConfig, "usePidDirectory" | "instanceName">): void {
    this.#global = global;
    for (const role of this.#running.keys()) this.#settle(role);
  }

  started(role: PidRole, pid: number | undefined): void {
    if (pid === undefined) return;
    this.#running.set(role, pid);
    this.#remove(role);
    this.#settle(role);
  }

  ended(role: PidRole): void {
    this.#running.delete(role);
    this.#remove(role);
  }

  #settle(role: PidRole): void {
    const path = this.#pathOf(role);
    const pid = this.#running.get(role);
    if (this.#written.get(role) === path) return;
    this.#remove(role);
    if (path === undefined || pid === undefined) return;
    const problem = writePidFile(path, pid);
    if (problem === undefined) this.#written.set(role, path);
    else this.#problem(`the pid file: ${problem}`);
  }

  #remove(role: PidRole): void {
    const path = this.#written.get(role);
    if (path !== undefined) removePidFile(path);
    this.#written.delete(role);
  }

  #pathOf(role: PidRole): string | undefined {
    const { usePidDirectory = false, instanceName } = this.#global ?? {};
    const named = role === "witness" ? undefined : this.#options[role];
    if (named !== undefined) return named;
    if (!usePidDirectory && instanceName === undefined) return undefined;
    const suffix = instanceName === undefined ? "" : `_${instanceName}`;
    return join(this.#directory, `${NAMES[role]}${suffix}.pid`);
  }
}
