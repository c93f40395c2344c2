import type { ProcessStatus } from "../control/protocol.ts";
import { Child } from "./child.ts";
import type { ServiceRole, ToDirector, ToVrrp, ToWitness } from "./ipc.ts";
import type { SupervisorPorts } from "./supervisor-ports.ts";
import { DEFAULT_WATCH } from "./watch.ts";

export interface KinEvents {
  started(role: ServiceRole, pid: number | undefined): void;
  message(role: ServiceRole, message: unknown): void;
  ended(role: ServiceRole, clean: boolean, cause: string, restartMs: number | undefined): void;
}

type StopMessage = Extract<ToDirector, { readonly kind: "stop" }>;

/** The supervisor's children by their roles, whatever they do. */
export class Kin {
  readonly #ports: SupervisorPorts;
  readonly #respawn: boolean;
  readonly #events: KinEvents;
  readonly #children = new Map<ServiceRole, Child>();
  readonly #startedAt = new Map<ServiceRole, number>();
  /** Who waits for a child to be gone for good. */
  readonly #leaving = new Map<ServiceRole, () => void>();
  /** Told to end, as there is nothing to do for it. */
  readonly #dismissed = new Set<ServiceRole>();

  constructor(ports: SupervisorPorts, respawn: boolean, events: KinEvents) {
    this.#ports = ports;
    this.#respawn = respawn;
    this.#events = events;
  }

  add(role: ServiceRole): Child {
    const child = new Child(role, this.#ports, DEFAULT_WATCH, this.#respawn, {
      started: (pid) => {
        this.#startedAt.set(role, this.#ports.wallClock());
        this.#events.started(role, pid);
      },
      message: (message) => this.#events.message(role, message),
      ended: (...how) => this.#events.ended(role, ...how),
    });
    this.#children.set(role, child);
    return child;
  }

  start(): void {
    for (const child of this.#children.values()) child.start();
  }

  get(role: ServiceRole): Child | undefined {
    return this.#children.get(role);
  }

  running(role: ServiceRole): boolean {
    return this.#children.get(role)?.running === true;
  }

  send(role: ServiceRole, message: ToVrrp | ToDirector | ToWitness): void {
    this.#children.get(role)?.send(message);
  }

  statuses(): Readonly<Record<"vrrp" | "director", ProcessStatus>> & {
    readonly witness?: ProcessStatus;
  } {
    const status = (role: ServiceRole): ProcessStatus => {
      const child = this.#children.get(role);
      const startedAt = this.#startedAt.get(role) ?? null;
      return { pid: child?.pid ?? null, restarts: child?.restarts ?? 0, startedAt };
    };
    const witness = this.#children.has("witness") ? { witness: status("witness") } : {};
    return { vrrp: status("vrrp"), director: status("director"), ...witness };
  }

  /** Has it end in its own time. */
  dismiss(role: ServiceRole): void {
    const child = this.#children.get(role);
    if (child === undefined || this.#dismissed.has(role)) return;
    child.stop();
    if (child.running) this.#dismissed.add(role);
    else this.#children.delete(role);
  }

  /** Whether the one that has just ended was dismissed; it is forgotten then. */
  wasDismissed(role: ServiceRole): boolean {
    if (!this.#dismissed.delete(role)) return false;
    this.#children.delete(role);
    return true;
  }

  /** Answers whether it ended by itself within the time; else it is killed. */
  async stop(role: ServiceRole, limitMs: number, message: StopMessage): Promise<boolean> {
    const child = this.#children.get(role);
    child?.stop(message);
    if (child?.running !== true) return true;
    let clean = true;
    const gone = new Promise<void>((resolve) => {
      this.#leaving.set(role, resolve);
    });
    const cancel = this.#ports.later(limitMs, () => {
      clean = false;
      child.kill();
    });
    await gone;
    cancel();
    return clean;
  }

  /** Nothing is left to be done about its end. */
  left(role: ServiceRole): void {
    this.#leaving.get(role)?.();
  }
}
