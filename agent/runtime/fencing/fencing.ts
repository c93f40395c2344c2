import type { InstanceConfig } from "../../config/config.ts";
import type { Fault } from "../../core/vrrp/fault.ts";
import type { Clock } from "../../ports/clock.ts";
import type { FilterEvent } from "../../ports/filter-event.ts";
import type { Gate } from "../../ports/gate.ts";
import type { LogLevel } from "../ipc.ts";
import { KernelAbility } from "../kernel-ability.ts";
import type { Router } from "../router.ts";
import type { Schedule } from "../schedule.ts";

export interface FencingListener {
  /** Routers are fenced, or in fault, where they were not before; or the other way round. */
  changed(): void;
  /** Somebody had removed the rules; they are whole again. */
  restored(): void;
  tell(level: LogLevel, message: string): void;
}

const NO_GATE = "two nodes may answer for an address after a failure";
const SHUT = "routers behind it are in fault, so that another node may take over";

/**
 * Whether the kernel has a gate. Where it has not, a router whose fencing is `auto` goes on with
 * lifetimes alone, and one that asks for the gate is in fault: it was asked for. That it could not just now
 * says nothing about that: what is not extended shuts by itself.
 */
export class Fencing {
  readonly #gate: Gate;
  readonly #listener: FencingListener;
  readonly #ability: KernelAbility;
  readonly #unsubscribe: () => void;

  constructor(gate: Gate, clock: Clock, schedule: Schedule, listener: FencingListener) {
    this.#gate = gate;
    this.#listener = listener;
    this.#ability = new KernelAbility({
      clock,
      schedule,
      probe: () => gate.probe(),
      failed: ({ message, remedy, passing }) =>
        passing
          ? listener.tell("error", `a gate that shuts: ${message}; ${SHUT}; ${remedy}`)
          : listener.tell("warn", `no gate: ${message}; ${NO_GATE}; ${remedy}`),
      changed: () => listener.changed(),
    });
    this.#unsubscribe = gate.subscribe((event) => this.#hear(event));
  }

  /** Tries the kernel where one of the instances is to be fenced. */
  async prepare(instances: readonly InstanceConfig[]): Promise<void> {
    if (!instances.some(({ router }) => router.fenced)) {
      this.#ability.set(undefined, false);
    } else if (!this.#ability.proven) {
      this.#ability.set(await this.#gate.probe());
    }
  }

  /** The addresses of routers that are to be fenced can be, or could if the kernel could do anything just now. */
  get works(): boolean {
    return this.#ability.isThinkable;
  }

  /** A kernel that has a gate, and goes on refusing to open it, would leave nobody reachable. */
  faultsOf({ config }: Router): readonly Fault[] {
    const { problem } = this.#ability;
    if (problem === undefined || !config.router.fenced) return [];
    if (config.fencing !== "gate" && !problem.passing) return [];
    return [{ cause: "packet-filter", subject: "nf_tables" }];
  }

  close(): void {
    this.#unsubscribe();
    this.#ability.close();
  }

  #hear(event: FilterEvent): void {
    if (event.kind === "lost") this.#ability.set(event.error);
    else this.#listener.restored();
  }
}
