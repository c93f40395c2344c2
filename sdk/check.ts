import type { Context, Controlled } from "./context.ts";
import type { Duration } from "./values.ts";

/** A verdict: good or bad; `"skip"` leaves the last one as it was. */
export type CheckResult =
  | boolean
  | "skip"
  | {
      readonly ok: boolean;
      /** Shown in status and events, 200 characters at most. */
      readonly reason?: string;
      /** Weight for the real servers that it tracks. */
      readonly weight?: number;
    };

/** An effect for some of these names. Without any name to control there is nothing to write. */
export type Targets<Name extends string, Effect> = [Name] extends [never]
  ? never
  : { readonly [K in Name]?: Effect };

/** What the agent does with a verdict. Declared, so that it holds also when the policy is dead. */
export interface Track<P> {
  /**
   * By virtual router: a number, −253–253, is added to the priority, a negative one while the check is down, a
   * positive one while it is up; `"fault"` keeps the router from being active while it is down.
   */
  readonly routers?: Targets<Controlled<P, "routers">, number | "fault">;
  /** By real server: `"down"` takes it out while the check is down; a number is its weight then, 0–65535. */
  readonly realServers?: Targets<Controlled<P, "realServers">, number | "down">;
}

/**
 * Something that is looked at again and again. The agent keeps the time, counts `rise` and `fall`, and
 * does what `track` says.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   permissions: { tcp: ["127.0.0.1:5432"], control: { routers: ["VI_1"] } },
 *   checks: {
 *     postgres: {
 *       every: "2s",
 *       timeout: "1s",
 *       rise: 2,
 *       fall: 3,
 *       jitter: 0.1,
 *       onStale: { keep: { maxStale: "1m" } },
 *       track: { routers: { VI_1: -50 } },
 *       async run(ctx) {
 *         await ctx.tcp.connect("127.0.0.1:5432");
 *         return true;
 *       },
 *     },
 *   },
 * });
 */
export interface Check<P, S> {
  /** From the start of one run to the start of the next; 10 ms – 24 h. */
  readonly every: Duration;
  /** A run that takes longer counts as failed; 1 ms – 10 m. Default: `every`, at most 30 s. */
  readonly timeout?: Duration;
  /** Good results in a row that make it up, 1–1000. Default 1; the first result of all needs one. */
  readonly rise?: number;
  /** Bad results in a row that make it down, 1–1000. Default 1. */
  readonly fall?: number;
  /** Share of `every`, 0–0.5, by which runs are spread at random. Default 0. */
  readonly jitter?: number;
  /**
   * What holds when there is no verdict for three periods: the policy is broken, or in quarantine.
   * Default `"down"`. `keep` holds the last verdict for `maxStale` (`every` – 24 h), then it is down.
   */
  readonly onStale?: "down" | "up" | { readonly keep: { readonly maxStale: Duration } };
  /** What the agent does with the verdict; only what `permissions.control` names. */
  readonly track?: Track<P>;
  /**
   * One look. It may take 20 ms of processor time and hold 8 calls open. A run that throws has failed,
   * with the error as its reason.
   */
  run(ctx: Context<P, S>): CheckResult | Promise<CheckResult>;
}
