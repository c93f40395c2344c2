import type { Context } from "./context.ts";
import type { Duration } from "./values.ts";
import type { BalancedService } from "./views.ts";

/**
 * Weights by `key` of the real server, 0–65535; 0: no new connections. A server that is not named has the
 * weight that it has without the policy.
 */
export type Weights = Readonly<Record<string, number>>;

/**
 * Decides the weights of whole services: those of `permissions.control.services`, one after another. What
 * it answers counts for servers that are up, and is less than an operator's word. An answer that is no
 * such record changes nothing.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   permissions: { control: { services: ["[192.0.2.1]:tcp:80"] } },
 *   balance: {
 *     every: "2s",
 *     run(_ctx, { realServers }) {
 *       const weights = realServers.map(({ key, configuredWeight, latencyMs }) => {
 *         const slow = latencyMs !== undefined && latencyMs.p50 > 200;
 *         return [key, slow ? Math.ceil(configuredWeight / 2) : configuredWeight];
 *       });
 *       return Object.fromEntries(weights);
 *     },
 *   },
 * });
 */
export interface Balance<P, S> {
  /**
   * From the start of one run for a service to the start of the next; 100 ms – 1 h. It also runs as soon
   * as a real server comes up or goes down, or an operator says something of one.
   */
  readonly every: Duration;
  /** A run that takes longer has failed; 1 ms – 10 m. Default: `every`, at most 30 s. */
  readonly timeout?: Duration;
  /**
   * How long an answer holds when no other one follows: the policy is broken, or in quarantine. `every` –
   * 1 h. Default 30 s, or three periods where that is longer. Afterwards all is as without the policy.
   */
  readonly ttl?: Duration;
  /** Answers the weights of one service. It may take 20 ms of processor time. */
  run(ctx: Context<P, S>, service: BalancedService): Weights | Promise<Weights>;
}
