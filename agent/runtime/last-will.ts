import type { LastWill } from "../ports/last-will.ts";
import { NO_MARKS, withdrawnText } from "../ports/last-will.ts";
import type { Later } from "../ports/processes.ts";
import type { LogLevel } from "./ipc.ts";
import type { Reserved, ReservedEntry, WillEntry } from "./wills.ts";

/** Far beyond what it takes; a kernel that has not answered by then is left to the next process. */
const LIMIT_MS = 2_000;

/** What the supervisor does in the place of a vrrp process that died. */
export class LastWills {
  readonly #port: LastWill;
  readonly #nowMs: () => number;
  readonly #later: Later;
  readonly #log: (level: LogLevel, message: string) => void;
  readonly #wills = new Map<string, WillEntry>();
  readonly #reserved = new Map<string, Reserved>();
  #underWay: Promise<void> | undefined;
  #complete = true;

  constructor(
    port: LastWill,
    { nowMs, later }: { readonly nowMs: () => number; readonly later: Later },
    log: (level: LogLevel, message: string) => void,
  ) {
    this.#port = port;
    this.#nowMs = nowMs;
    this.#later = later;
    this.#log = log;
  }

  /** Some router is active, as far as is known. */
  get any(): boolean {
    return this.#wills.size > 0;
  }

  /** The last one that was begun. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /** Goes on with `next` when none is under way. */
  afterwards(next: () => void): void {
    if (this.#underWay === undefined) next();
    else void this.#underWay.then(() => this.afterwards(next));
  }

  /** The last one that was executed left nothing on this host. */
  get complete(): boolean {
    return this.#complete;
  }

  /** For the next process: its packets are to be beyond these. */
  get reserved(): readonly ReservedEntry[] {
    return [...this.#reserved];
  }

  keep(entries: readonly WillEntry[]): void {
    for (const entry of entries) {
      if (entry.packets.length === 0) this.#wills.delete(entry.id);
      else this.#wills.set(entry.id, entry);
      if (entry.reserved !== undefined) this.#reserved.set(entry.name, entry.reserved);
    }
    if (this.any) this.#port.prepare();
  }

  /**
   * Takes everything of ours from the host, in this namespace, and resigns for routers that were active;
   * after any that is under way. `links`: nobody comes who would want the virtual links. Where the kernel
   * does not tell which addresses are ours, it is done when they have ended by themselves: `lifetimeMs`.
   */
  begin(namespace: string | undefined, links: boolean, lifetimeMs: number): Promise<void> {
    const done = Promise.resolve(this.#underWay)
      .then(() => this.#execute(namespace, links))
      .then((unknown) => (unknown && !links ? this.#pass(lifetimeMs) : undefined))
      .then(() => {
        if (this.#underWay === done) this.#underWay = undefined;
      });
    this.#underWay = done;
    return done;
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#later(ms, resolve);
    });
  }

  /** Answers whether addresses of ours may be here that cannot be told from others. */
  async #execute(namespace: string | undefined, links: boolean): Promise<boolean> {
    const packets = [...this.#wills.values()].flatMap((will) => will.packets);
    this.#wills.clear();
    const startMs = this.#nowMs();
    const request = { namespace, links, packets, limitMs: LIMIT_MS };
    const { withdrawn, sent, problems } = await this.#port.execute(request);
    const took = (this.#nowMs() - startMs).toFixed(1);
    const gone = withdrawnText(withdrawn);
    if (gone !== undefined || packets.length > 0) {
      const resigned =
        packets.length === 0 ? "" : `, sent ${sent} of ${packets.length} resignations`;
      this.#log(
        "warn",
        `in place of the vrrp process: removed ${gone ?? "nothing"}${resigned} (${took} ms)`,
      );
    }
    for (const { message, remedy } of problems) {
      this.#log("error", `in place of the vrrp process: ${message}; ${remedy}`);
    }
    this.#complete = problems.length === 0;
    return problems.some(({ code }) => code === NO_MARKS);
  }
}
