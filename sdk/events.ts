import type { PriorityPart, RouterState } from "./views.ts";

/** A virtual router of this node changed its state. */
export interface TransitionEvent {
  readonly router: string;
  readonly from: RouterState;
  readonly to: RouterState;
  /** The token that logs and metrics have too: `peer-silent`, `fault-raised`. */
  readonly reason: string;
  readonly priority: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
  /**
   * Of the lease under which it is, or was, active: it only grows from one holder to the next, and compares
   * as text. Whoever is told to act refuses what carries an older one. Not there where no lease is asked for.
   */
  readonly epoch?: string;
}

/** A check of this policy came up or went down. */
export interface CheckChangeEvent<C extends string> {
  readonly check: C;
  readonly up: boolean;
  readonly reason: string;
  /** Milliseconds that the state before had lasted. */
  readonly lasted: number;
}

/** The effective priority of a virtual router changed. */
export interface PriorityChangeEvent {
  readonly router: string;
  readonly before: number;
  readonly after: number;
  readonly contributions: readonly PriorityPart[];
}

/** A real server came up, went down or changed its weight. */
export interface RealServerEvent {
  readonly service: string;
  readonly realServer: string;
  readonly up: boolean;
  readonly weight: number;
}

/** A service won or lost its quorum. */
export interface ServiceQuorumEvent {
  readonly service: string;
  readonly up: boolean;
  /** Real servers that are up. */
  readonly alive: number;
}

/** Another router is heard, or is not heard any more. */
export interface PeerEvent {
  readonly router: string;
  readonly address: string;
  /** It is heard now, or is not heard any more. */
  readonly heard: boolean;
  readonly priority: number;
}

/**
 * What is heard about, and after the fact: no hook stands between a packet and its decision.
 *
 * @example
 * import { definePolicy } from "holdfast/sdk";
 *
 * export default definePolicy({
 *   checks: { fine: { every: "1s", run: () => true } },
 *   on: {
 *     start: (ctx, { reason }) => ctx.log.info("started", { reason }),
 *     checkChange: (ctx, { check, up }) => ctx.log.warn(`${check} is ${up ? "up" : "down"}`),
 *   },
 * });
 */
export interface Events<C extends string> {
  readonly transition: TransitionEvent;
  readonly checkChange: CheckChangeEvent<C>;
  readonly priorityChange: PriorityChangeEvent;
  readonly realServer: RealServerEvent;
  readonly serviceQuorum: ServiceQuorumEvent;
  readonly peer: PeerEvent;
  /** The policy runs from now on. */
  readonly start: { readonly reason: "boot" | "reload" | "recovery" };
  /** It runs no more; there is a second left for it. */
  readonly stop: { readonly reason: "reload" | "shutdown" };
}
