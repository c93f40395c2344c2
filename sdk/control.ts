import type { Duration } from "./values.ts";
import type { RealServerView, RouterView } from "./views.ts";

/** How long an adjustment holds without being renewed. */
export interface Lease {
  /** Default 30 s; at most 1 h. */
  readonly ttl?: Duration;
}

/**
 * A virtual router that this policy may move. Adjustments lapse by themselves: a policy that is dead
 * leaves none behind. What follows from a check is better declared, as `track`.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   permissions: { read: ["/proc/loadavg"], control: { routers: ["VI_1"] } },
 *   checks: {
 *     load: {
 *       every: "10s",
 *       async run(ctx) {
 *         const load = Number.parseFloat(await ctx.files.readText("/proc/loadavg"));
 *         ctx.router("VI_1").adjust(load > 8 ? -20 : 0, { ttl: "30s" });
 *         return true;
 *       },
 *     },
 *   },
 * });
 */
export interface RouterControl extends RouterView {
  /** Adds to the priority, −253–253, until the lease ends or it is said anew. */
  adjust(delta: number, lease?: Lease): void;
  /** Keeps it from being active. */
  fault(reason: string, lease?: Lease): void;
  /** Takes back what this policy said before. */
  clear(): void;
}

/** A real server that this policy may move. */
export interface RealServerControl extends RealServerView {
  /** 0–65535, until the lease ends or it is said anew. */
  setWeight(weight: number, lease?: Lease): void;
  /** Weight 0: connections end by themselves. */
  drain(lease?: Lease): void;
  /** Takes back what this policy said before. */
  clear(): void;
}
