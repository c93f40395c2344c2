import type { InstanceConfig } from "../../config/config.ts";
import { after, seconds } from "../../core/time.ts";
import type { Fault } from "../../core/vrrp/fault.ts";
import type { Clock } from "../../ports/clock.ts";
import type { KernelError } from "../../ports/error.ts";
import type { Gate, GateEvent } from "../../ports/gate.ts";
import type { LogLevel } from "../ipc.ts";
import type { Router } from "../router.ts";
import type { Schedule, Slot } from "../schedule.ts";

/** Between two tries of a kernel that has no gate. */
const RETRY = seconds(5);

export interface FencingListener {
  /** Routers are fenced, or in fault, where they were not before; or the other way round. */
  changed(): void;
  tell(level: LogLevel, message: string): void;
}

/**
 * Whether the kernel has a gate. Where it has not, a router whose fencing is `auto` goes on with
 * lifetimes alone, and one that asks for the gate is in fault: it was asked for.
 */
export class Fencing {
  readonly #gate: Gate;
  readonly #clock: Clock;
  readonly #listener: FencingListener;
  readonly #retry: Slot;
  readonly #unsubscribe: () => void;
  #problem: KernelError | undefined;
  /** The kernel has shown that it can. */
  #proven = false;

  constructor(gate: Gate, clock: Clock, schedule: Schedule, listener: FencingListener) {
    this.#gate = gate;
    this.#clock = clock;
    this.#listener = listener;
    this.#retry = schedule.slot(() => void this.#probe());
    this.#unsubscribe = gate.subscribe((event) => this.#hear(event));
  }

  /** Tries the kernel where one of the instances is to be fenced. */
  async prepare(instances: readonly InstanceConfig[]): Promise<void> {
    if (!instances.some(({ router }) => router.fenced)) {
      this.#set(undefined, false);
    } else if (!this.#proven) {
      this.#set(await this.#gate.probe());
    }
  }

  /** The addresses of routers that are to be fenced can be. */
  get works(): boolean {
    return this.#proven;
  }

  faultsOf({ config }: Router): readonly Fault[] {
    if (this.#problem === undefined || config.fencing !== "gate" || !config.router.fenced)
      return [];
    return [{ cause: "packet-filter", subject: "nf_tables" }];
  }

  close(): void {
    this.#unsubscribe();
    this.#retry.set(undefined);
  }

  #hear(event: GateEvent): void {
    if (event.kind === "lost") this.#set(event.error);
    else {
      const message = "somebody removed the gate's rules (nft flush ruleset?): put back";
      this.#listener.tell("warn", message);
    }
  }

  async #probe(): Promise<void> {
    this.#set(await this.#gate.probe());
  }

  #set(problem: KernelError | undefined, proven = problem === undefined): void {
    const before = this.#problem;
    const changed = proven !== this.#proven || (problem === undefined) !== (before === undefined);
    this.#problem = problem;
    this.#proven = proven;
    this.#retry.set(problem === undefined ? undefined : after(this.#clock.now(), RETRY));
    if (problem !== undefined && problem.code !== before?.code) {
      const rest = "two nodes may answer for an address after a failure";
      this.#listener.tell("warn", `no gate: ${problem.message}; ${rest}; ${problem.remedy}`);
    }
    if (changed) this.#listener.changed();
  }
}
