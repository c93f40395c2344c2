import type { Config } from "../config/config.ts";
import { NO_BALANCING } from "../config/virtual-servers.ts";
import type { ReloadPlan } from "../control/target.ts";
import type { BfdReport, BfdSnapshot } from "../core/bfd/snapshot.ts";
import type { RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { Later } from "../ports/processes.ts";
import type { FromVrrp, GroupSnapshot, Problem, ToVrrp } from "./ipc.ts";
import { parts } from "./ipc.ts";
import type { ReservedEntry } from "./wills.ts";

export type Configured =
  | { readonly ok: true; readonly plan: ReloadPlan }
  | { readonly ok: false; readonly problem: Problem };

export interface NodeSnapshot {
  readonly routers: readonly RouterSnapshot[];
  readonly groups: readonly GroupSnapshot[];
  readonly bfd: BfdReport;
}

/** A question that the vrrp process has not answered yet. */
interface Pending {
  hear(message: FromVrrp): void;
  giveUp(): void;
}

const DIED: Problem = {
  code: "vrrp-process-ended",
  message: "the vrrp process ended before it answered",
  remedy: "the log says why; it is started again from the last accepted configuration",
};

/** Asks the vrrp process, over its channel, and puts answers that come in parts together. */
export class VrrpClient {
  readonly #send: (message: ToVrrp) => void;
  readonly #later: Later;
  readonly #pending = new Map<string, Pending>();
  #id = 0;

  constructor(send: (message: ToVrrp) => void, later: Later) {
    this.#send = send;
    this.#later = later;
  }

  /** Answers when the configuration runs, or was refused: without a time limit. */
  configure(
    generation: number,
    config: Config,
    awaitDirector: boolean,
    reserved: readonly ReservedEntry[] = [],
  ): Promise<Configured> {
    // Virtual servers are none of its business, and to read tens of thousands would hold up adverts.
    const { instances, ...frame } = { ...config, balancing: NO_BALANCING };
    return new Promise((resolve) => {
      this.#pending.set(`configure ${generation}`, {
        hear: (message) => {
          if (message.kind === "configured") resolve({ ok: true, plan: message.plan });
          if (message.kind === "refused") resolve({ ok: false, problem: message.problem });
        },
        giveUp: () => resolve({ ok: false, problem: DIED }),
      });
      for (const part of parts(instances)) {
        this.#send({ kind: "instances", generation, instances: part });
      }
      this.#send({ kind: "configure", generation, frame, awaitDirector, reserved });
    });
  }

  /** `undefined`: no complete answer within the time. */
  snapshot(limitMs: number): Promise<NodeSnapshot | undefined> {
    const routers: RouterSnapshot[] = [];
    const sessions: BfdSnapshot[] = [];
    return this.#ask("snapshot", limitMs, (message, done) => {
      if (message.kind !== "snapshot") return;
      const { groups, bfdDropped: dropped = {} } = message;
      routers.push(...message.routers);
      sessions.push(...(message.sessions ?? []));
      if (groups !== undefined) done({ routers, groups, bfd: { sessions, dropped } });
    });
  }

  journal(limitMs: number): Promise<string | undefined> {
    const lines: string[] = [];
    return this.#ask("journal", limitMs, (message, done) => {
      if (message.kind !== "journal") return;
      for (const line of message.lines) lines.push(line);
      if (message.last) done(`${lines.join("\n")}\n`);
    });
  }

  hear(message: FromVrrp): void {
    if (message.kind === "configured" || message.kind === "refused") {
      this.#answer(`configure ${message.generation}`, message, true);
    } else if (message.kind === "snapshot" || message.kind === "journal") {
      this.#answer(`${message.kind} ${message.id}`, message, false);
    }
  }

  /** The process is gone: nothing more will be answered. */
  ended(): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const question of pending) question.giveUp();
  }

  #answer(key: string, message: FromVrrp, last: boolean): void {
    const question = this.#pending.get(key);
    if (last) this.#pending.delete(key);
    question?.hear(message);
  }

  #ask<Answer>(
    kind: "snapshot" | "journal",
    limitMs: number,
    hear: (message: FromVrrp, done: (answer: Answer) => void) => void,
  ): Promise<Answer | undefined> {
    this.#id += 1;
    const id = this.#id;
    const key = `${kind} ${id}`;
    return new Promise((resolve) => {
      const finish = (answer: Answer | undefined) => {
        this.#pending.delete(key);
        cancel();
        resolve(answer);
      };
      const cancel = this.#later(limitMs, () => finish(undefined));
      this.#pending.set(key, {
        hear: (message) => hear(message, finish),
        giveUp: () => finish(undefined),
      });
      this.#send({ kind, id });
    });
  }
}

/** Of a configuration that waits for the next process. */
export const planForNone = ({ instances }: Config): ReloadPlan => ({
  added: instances.map(({ router }) => router.name),
  removed: [],
  replaced: [],
  kept: [],
});
