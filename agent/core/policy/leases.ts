import { assertNever } from "../assert.ts";
import type { Machine, Transition } from "../machine.ts";
import type { Instant, Micros } from "../time.ts";
import { after, earliest, seconds } from "../time.ts";
import type { ClaimEffect } from "../track/tracking.ts";

/** How long an adjustment holds that says nothing of it, and at most. */
export const DEFAULT_LEASE: Micros = seconds(30);
export const LONGEST_LEASE: Micros = seconds(3_600);

/** What a policy said of one virtual router, and until when. */
export interface RouterLease {
  readonly adjust: { readonly delta: number; readonly until: Instant } | undefined;
  /** Stronger than an adjustment. */
  readonly fault: { readonly reason: string; readonly until: Instant } | undefined;
}

/** By name of the router. */
export type LeasesState = Readonly<Record<string, RouterLease>>;

export type LeasesEvent =
  | {
      readonly kind: "adjust";
      readonly router: string;
      readonly delta: number;
      readonly time: Micros;
    }
  | {
      readonly kind: "fault";
      readonly router: string;
      readonly reason: string;
      readonly time: Micros;
    }
  | { readonly kind: "clear"; readonly router: string }
  /** The policy is gone for good. */
  | { readonly kind: "clear-all" }
  | { readonly kind: "tick" };

/** What holds for a router from now on. */
export interface LeasesEffect {
  readonly kind: "hold";
  readonly router: string;
  readonly effect: ClaimEffect;
}

type Step = Transition<LeasesState, LeasesEffect>;

const NOTHING: RouterLease = { adjust: undefined, fault: undefined };
const NONE: ClaimEffect = { kind: "none" };

function step(_config: undefined, state: LeasesState, event: LeasesEvent, now: Instant): Step {
  switch (event.kind) {
    case "adjust": {
      const { router, delta } = event;
      // Nothing to add is nothing said.
      const adjust = delta === 0 ? undefined : { delta, until: after(now, event.time) };
      return change(state, [router], (lease) => lapsed({ ...lease, adjust }, now));
    }
    case "fault": {
      const { router, reason } = event;
      const fault = { reason, until: after(now, event.time) };
      return change(state, [router], (lease) => lapsed({ ...lease, fault }, now));
    }
    case "clear":
      return change(state, [event.router], () => NOTHING);
    case "clear-all":
      return change(state, Object.keys(state), () => NOTHING);
    case "tick":
      return change(state, Object.keys(state), (lease) => lapsed(lease, now));
    default:
      return assertNever(event);
  }
}

const lapsed = ({ adjust, fault }: RouterLease, now: Instant): RouterLease => ({
  adjust: adjust !== undefined && now < adjust.until ? adjust : undefined,
  fault: fault !== undefined && now < fault.until ? fault : undefined,
});

function change(
  before: LeasesState,
  routers: readonly string[],
  next: (lease: RouterLease) => RouterLease,
): Step {
  const leases = new Map(Object.entries(before));
  const effects: LeasesEffect[] = [];
  for (const router of routers) {
    const old = leases.get(router) ?? NOTHING;
    const lease = next(old);
    if (lease.adjust === undefined && lease.fault === undefined) leases.delete(router);
    else leases.set(router, lease);
    const effect = leaseEffect(lease);
    if (!sameEffect(leaseEffect(old), effect)) effects.push({ kind: "hold", router, effect });
  }
  return { state: Object.fromEntries(leases), effects };
}

function leaseEffect({ adjust, fault }: RouterLease): ClaimEffect {
  if (fault !== undefined) return { kind: "fault", reason: fault.reason };
  if (adjust !== undefined) return { kind: "weight", weight: adjust.delta };
  return NONE;
}

/** Whether two effects do the same. */
export function sameEffect(a: ClaimEffect, b: ClaimEffect): boolean {
  if (a.kind === "weight") return b.kind === "weight" && a.weight === b.weight;
  if (a.kind === "fault") return b.kind === "fault" && a.reason === b.reason;
  return b.kind === "none";
}

/** What one policy says of routers in passing: each word lapses, so that none outlives its reason. */
export const leases: Machine<undefined, LeasesState, LeasesEvent, LeasesEffect> = {
  initial: {},
  step,
  deadline: (state) =>
    earliest(...Object.values(state).flatMap(({ adjust, fault }) => [adjust?.until, fault?.until])),
};
