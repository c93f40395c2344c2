import type { Balance } from "./balance.ts";
import type { Check } from "./check.ts";
import type { Context, Controlled, NoState } from "./context.ts";
import type { Events } from "./events.ts";
import type { Permissions } from "./permissions.ts";
import type { Json } from "./values.ts";

/**
 * What the policy remembers between runs, over reloads too.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   state: { version: 1, init: () => ({ flips: 0 }) },
 *   on: {
 *     transition(ctx) {
 *       ctx.state.flips += 1;
 *       ctx.metrics.gauge("flips", ctx.state.flips);
 *     },
 *   },
 * });
 */
export interface StateSpec<S> {
  /** 0–1000000; raise it when the form changes. */
  readonly version: number;
  /** Makes the first state. */
  init(): S;
  /** Makes this version's state of an older one's. Without it, an older state is dropped. */
  migrate?(old: Json, fromVersion: number): S;
}

/** A policy: what `definePolicy` takes. */
export interface Policy<P extends Permissions, S, C extends string> {
  /** One line on what it is for, 200 characters at most. */
  readonly about?: string;
  /** What it asks for. Default: nothing. */
  readonly permissions?: P;
  /** Default: it remembers nothing. */
  readonly state?: StateSpec<S>;
  /** By a name of your own; at most 64. */
  readonly checks?: { readonly [K in C]: Check<P, S> };
  /** Decides the weights of the services of `permissions.control.services`. */
  readonly balance?: [Controlled<P, "services">] extends [never] ? never : Balance<P, S>;
  /** What is done after events. A hook that throws is logged, and changes nothing. */
  readonly on?: {
    readonly [K in keyof Events<C>]?: (
      ctx: Context<P, S>,
      event: Events<C>[K],
    ) => void | Promise<void>;
  };
}

/**
 * Defines a policy: the default export of a file in the policies folder. Its name is the file's.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   permissions: { http: ["http://127.0.0.1/*"], control: { routers: ["VI_1"] } },
 *   checks: {
 *     alive: {
 *       every: "1s",
 *       fall: 3,
 *       track: { routers: { VI_1: -50 } },
 *       run: async (ctx) => (await ctx.http.get("http://127.0.0.1/health")).status === 200,
 *     },
 *   },
 * });
 */
export function definePolicy<
  const P extends Permissions,
  S extends Json = NoState,
  C extends string = never,
>(policy: Policy<P, S, C>): Policy<P, S, C> {
  return policy;
}
