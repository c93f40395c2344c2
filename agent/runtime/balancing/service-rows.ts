import type { DestinationCounters, TrafficCounters } from "../../core/ipvs/traffic.ts";
import type { Labels } from "../series-text.ts";
import type { Look } from "./look.ts";
import type { Served } from "./served.ts";

/** A virtual server, as its series have it. */
export interface ServiceRow {
  readonly labels: Labels;
  readonly served: Served;
  readonly liveWeight: number;
  readonly states: Readonly<Record<"up" | "down" | "held" | "leaving", number>>;
  readonly mended: number;
  /** One for each of the kernel's services. */
  readonly traffic: readonly TrafficCounters[];
}

export interface ServerRow {
  readonly labels: Labels;
  readonly up: boolean;
  readonly weight: number;
  readonly changes: number;
  /** One for each of the kernel's services. */
  readonly counted: readonly DestinationCounters[];
}

export interface CheckRow {
  readonly labels: Labels;
  readonly look: Look;
}
