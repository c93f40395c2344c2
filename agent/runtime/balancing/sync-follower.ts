import type { SyncDaemonConfig } from "../../config/virtual-servers.ts";
import type { SyncDaemon, SyncRole } from "../../core/ipvs/connections.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import { KernelError } from "../../ports/error.ts";
import type { Ipvs } from "../../ports/ipvs.ts";

const NONE: ReadonlySet<string> = new Set();

/**
 * Connection synchronisation: sends while its instance is active and listens while it is not; without
 * an instance both, always.
 */
export class SyncFollower {
  readonly #ipvs: () => Ipvs | undefined;
  readonly #trouble: (error: KernelError | undefined) => void;
  #config: SyncDaemonConfig | undefined;
  #active = false;
  /** One change after another. */
  #working: Promise<void> = Promise.resolve();

  constructor(ipvs: () => Ipvs | undefined, trouble: (error: KernelError | undefined) => void) {
    this.#ipvs = ipvs;
    this.#trouble = trouble;
  }

  configure(config: SyncDaemonConfig | undefined): void {
    const before = this.#config;
    this.#config = config;
    if (before === undefined && config === undefined) return;
    this.#apply();
  }

  /** An instance is active now, or is not any more. */
  router(name: string, active: boolean): void {
    if (this.#config?.instance !== name || this.#active === active) return;
    this.#active = active;
    this.#apply();
  }

  /** Has another look: it failed before, or somebody else changed it. */
  check(): void {
    if (this.#config !== undefined) this.#apply();
  }

  #apply(): void {
    this.#working = this.#working.then(() => this.#mend(this.#wanted()));
  }

  async stop(): Promise<void> {
    if (this.#config === undefined) return;
    this.#config = undefined;
    this.#apply();
    await this.#working;
  }

  settled(): Promise<void> {
    return this.#working;
  }

  #wanted(): readonly SyncDaemon[] {
    const config = this.#config;
    if (config === undefined) return [];
    const { instance, ...daemon } = config;
    const roles: readonly SyncRole[] =
      instance === undefined ? ["active", "backup"] : [this.#active ? "active" : "backup"];
    return roles.map((role) => ({ ...daemon, role }));
  }

  async #mend(wanted: readonly SyncDaemon[]): Promise<void> {
    const ipvs = this.#ipvs();
    if (ipvs === undefined) return;
    const running = await ipvs.syncDaemons();
    if (running instanceof KernelError) {
      this.#trouble(running);
      return;
    }
    let failed: KernelError | undefined;
    for (const daemon of running) {
      if (wanted.some((each) => sameDaemon(each, daemon))) continue;
      failed = (await ipvs.stopSync(daemon.role)) ?? failed;
    }
    for (const daemon of wanted) {
      if (running.some((each) => sameDaemon(daemon, each))) continue;
      failed = (await ipvs.startSync(daemon)) ?? failed;
    }
    this.#trouble(failed);
  }
}

/** What is left to the kernel is as it chose. */
const sameDaemon = (wanted: SyncDaemon, running: SyncDaemon): boolean =>
  plainEqual({ ...running, ...chosen(wanted) }, running, NONE);

const chosen = (daemon: SyncDaemon): Partial<SyncDaemon> =>
  Object.fromEntries(Object.entries(daemon).filter(([, value]) => value !== undefined));
