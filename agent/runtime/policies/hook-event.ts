import type { PriorityPart, RouterState, RouterView } from "../../../sdk/index.ts";
import type { EventName } from "../../policy/shape.ts";
import type { EventReport } from "../ipc.ts";

/** What happened, as hooks hear of it. */
export interface Happened {
  readonly name: EventName;
  readonly event: Readonly<Record<string, unknown>>;
  /** What the view of the router shows from now on; `undefined`: it is of no router. */
  readonly view: Partial<RouterView> | undefined;
}

/** What a report means to policies; `undefined`: nothing. */
export function hookEvent({ kind, subject, at, detail }: EventReport): Happened | undefined {
  if (kind === "transition") {
    const { from, to, priority, epoch } = detail;
    if (!isState(from) || !isState(to) || typeof priority !== "number") return undefined;
    const reason = reasonOf(detail);
    return {
      name: "transition",
      event: { router: subject, from, to, reason, priority, at, ...(isText(epoch) && { epoch }) },
      view: { state: to, priority },
    };
  }
  if (kind === "real-server") return serverEvent(detail);
  if (kind === "quorum") {
    const { service, up, alive } = detail;
    return { name: "serviceQuorum", event: { service, up, alive }, view: undefined };
  }
  if (kind !== "priority") return undefined;
  const { before, after } = detail;
  if (typeof before !== "number" || typeof after !== "number") return undefined;
  const contributions = partsOf(detail["contributions"]);
  return {
    name: "priorityChange",
    event: { router: subject, before, after, contributions },
    view: { priority: after, contributions },
  };
}

/** The service in which something changed that whoever balances it goes by; `undefined`: nothing did. */
export function movedService({ kind, subject, detail }: EventReport): string | undefined {
  if (kind !== "real-server") return undefined;
  const { change } = detail;
  return change === "state" || change === "override" ? subject : undefined;
}

function serverEvent({
  change,
  service,
  server,
  up,
  weight,
}: EventReport["detail"]): Happened | undefined {
  if (change !== "state" && change !== "weight") return undefined;
  const realServer = `${String(service)}/${String(server)}`;
  return { name: "realServer", event: { service, realServer, up, weight }, view: undefined };
}

const STATES: ReadonlySet<unknown> = new Set(["initialize", "backup", "active", "fault"]);

const isText = (value: unknown): value is string => typeof value === "string";

const isState = (value: unknown): value is RouterState => STATES.has(value);

/** The faults where there are any: `interface-down eth0`. */
function reasonOf({ reason, faults }: EventReport["detail"]): string {
  const causes = Array.isArray(faults) ? (faults as readonly unknown[]) : [];
  const texts = causes.map((each) => {
    const { cause, subject } = each as { readonly cause?: unknown; readonly subject?: unknown };
    return `${String(cause)} ${String(subject)}`;
  });
  return texts.length === 0 ? String(reason) : texts.join(", ");
}

function partsOf(value: unknown): readonly PriorityPart[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Partial<PriorityPart>[]).map(({ source, weight, since }) => ({
    source: String(source),
    weight: Number(weight),
    since: Number(since),
  }));
}
