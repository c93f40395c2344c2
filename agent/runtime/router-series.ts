import type { RouterCounters, RouterSnapshot } from "../core/vrrp/snapshot.ts";
import { labels, SeriesText } from "./series-text.ts";

/** `other`: the value of the family's own label. */
type Emit = (value: number, other?: string) => void;

interface RouterFamily {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  /** A label beside `router`. */
  readonly label?: "alarm" | "reason";
  readonly samples: (router: RouterSnapshot, emit: Emit) => void;
}

type Count = {
  readonly [Key in keyof RouterCounters]: RouterCounters[Key] extends number ? Key : never;
}[keyof RouterCounters];

const counter = (key: Count, name: string, help: string): RouterFamily => ({
  name: `holdfast_router_${name}_total`,
  type: "counter",
  help,
  samples: ({ counters }, emit) => emit(counters[key]),
});

const byToken = (
  key: "alarms" | "dropped",
  label: "alarm" | "reason",
  name: string,
  help: string,
): RouterFamily => ({
  name,
  type: "counter",
  help,
  label,
  samples: ({ counters }, emit) => {
    for (const [token, times] of Object.entries(counters[key])) emit(times, token);
  },
});

export const ROUTER_FAMILIES: readonly RouterFamily[] = [
  {
    name: "holdfast_router_active",
    type: "gauge",
    help: "1: this node has the addresses.",
    samples: ({ state }, emit) => emit(state === "active" ? 1 : 0),
  },
  {
    name: "holdfast_router_priority",
    type: "gauge",
    help: "The priority that it has now.",
    samples: ({ priority }, emit) => emit(priority.effective),
  },
  {
    name: "holdfast_router_gate_open",
    type: "gauge",
    help: "1: its addresses are reachable here; nothing of a router without a gate.",
    samples: ({ fencing: { gate } }, emit) => {
      if (gate !== null) emit(gate.state === "open" ? 1 : 0);
    },
  },
  {
    name: "holdfast_router_mandate_granted",
    type: "gauge",
    help: "1: its witness and fence devices let it be active; nothing of a router that needs none.",
    samples: ({ mandate }, emit) => {
      if (mandate !== null) emit(mandate.state === "granted" ? 1 : 0);
    },
  },
  counter("becameActive", "became_active", "How often it became active."),
  counter("advertisementsSent", "advertisements_sent", "Advertisements that it sent."),
  counter("advertisementsReceived", "advertisements_received", "Advertisements that it took."),
  counter("sendErrors", "send_errors", "Packets that the kernel refused to send."),
  counter("gateLate", "gate_late", "Extensions that reached the kernel too late."),
  counter("leasesLapsed", "leases_lapsed", "Leases that ran out while it was active."),
  counter("mandatesLost", "mandates_lost", "Mandates that ended while it was active."),
  byToken(
    "dropped",
    "reason",
    "holdfast_router_advertisements_dropped_total",
    "Advertisements that it refused, by reason.",
  ),
  byToken("alarms", "alarm", "holdfast_router_alarms_total", "Alarms, by kind."),
];

/** What there is to count of virtual routers, in Prometheus' text format. */
export function routerSeries(routers: readonly RouterSnapshot[]): string {
  const text = new SeriesText();
  if (routers.length === 0) return text.text();
  for (const { name, type, help, label, samples } of ROUTER_FAMILIES) {
    text.family(name, type, help);
    for (const router of routers) {
      const own = { router: router.name };
      samples(router, (value, other) => {
        const all = label === undefined || other === undefined ? own : { ...own, [label]: other };
        text.sample(name, labels(all), value);
      });
    }
  }
  return text.text();
}
