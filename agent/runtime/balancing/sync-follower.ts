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
  /**
   * `undefined`: nobody has said so far. What runs then goes on: the director before this one may have left
   * the right half running, and what it has not sent yet would be lost.
   */
  #active: boolean | undefined;
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
    if (before?.instance !== config?.instance) this.#active = undefined;
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
    this.#working = this.#working.then(() => this.#mend());
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

  /** `undefined`: that is not known yet. */
  #wanted(): readonly SyncDaemon[] | undefined {
    const config = this.#config;
    if (config === undefined) return [];
    const { instance, interface: link, syncId, maxLength, port, ttl, group } = config;
    if (instance !== undefined && this.#active === undefined) return undefined;
    const roles: readonly SyncRole[] =
      instance === undefined ? ["active", "backup"] : [this.#active ? "active" : "backup"];
    return roles.map((role) => ({ role, interface: link, syncId, maxLength, port, ttl, group }));
  }

  async #mend(): Promise<void> {
    const wanted = this.#wanted();
    const ipvs = this.#ipvs();
    if (wanted === undefined || ipvs === undefined) return;
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
