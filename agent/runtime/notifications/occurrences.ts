import type { Occurrence, ToldState } from "../../core/notify/tell.ts";
import type { RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import type { EventReport, GroupSnapshot } from "../ipc.ts";

/** What happened, and to whom, in the terms of keepalived's notifications. */
export interface Happened {
  readonly kind: "instance" | "group";
  readonly name: string;
  readonly occurrence: Occurrence;
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** Of the lease under which it is, or was, active. */
  readonly epoch: string | undefined;
}

interface Known {
  readonly active: boolean;
  readonly priority: number;
}

const TOLD: readonly string[] = ["active", "backup", "fault"] satisfies readonly ToldState[];

/** Reads events of the agent, and remembers of each router what they do not all say. */
export class Occurrences {
  readonly #known = new Map<string, Known>();

  /** What the routers are now: this process may have been started long after them. */
  learn(routers: readonly RouterSnapshot[], _groups: readonly GroupSnapshot[]): void {
    for (const { name, state, priority } of routers) {
      this.#known.set(name, { active: state === "active", priority: priority.effective });
    }
  }

  /** `undefined`: nothing that keepalived tells of. */
  of(report: EventReport): Happened | undefined {
    const { at, kind, subject, detail } = report;
    const epoch = typeof detail["epoch"] === "string" ? detail["epoch"] : undefined;
    const asInstance = (occurrence: Occurrence | undefined): Happened | undefined =>
      occurrence && { kind: "instance", name: subject, occurrence, at, epoch };
    switch (kind) {
      case "transition": {
        const priority = numberOf(detail["priority"]);
        this.#known.set(subject, { active: detail["to"] === "active", priority });
        return asInstance(transition(detail, priority));
      }
      case "group-transition": {
        const occurrence = transition(detail, 0);
        return occurrence && { kind: "group", name: subject, occurrence, at, epoch };
      }
      case "priority": {
        const active = this.#known.get(subject)?.active ?? false;
        const priority = numberOf(detail["after"]);
        this.#known.set(subject, { active, priority });
        return asInstance({ kind: "priority", active, priority });
      }
      case "alarm": {
        const priority = this.#known.get(subject)?.priority;
        const rival = detail["alarm"] === "rival-heard" && detail["over"] !== true;
        if (!rival || priority === undefined) return undefined;
        return asInstance({ kind: "lower-priority-heard", priority });
      }
      default:
        return undefined;
    }
  }
}

function transition(detail: EventReport["detail"], priority: number): Occurrence | undefined {
  const { to, reason, retired } = detail;
  if (to === "initialize") {
    if (reason !== "shutdown") return undefined;
    return { kind: retired === true ? "deleted" : "stop", priority };
  }
  return TOLD.includes(String(to))
    ? { kind: "state", state: to as ToldState, priority }
    : undefined;
}

const numberOf = (value: unknown): number => (typeof value === "number" ? value : 0);
