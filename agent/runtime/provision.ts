import type { InstanceConfig } from "../config/config.ts";
import type { PlanStep } from "../core/reload/plan.ts";
import type { Bindings } from "./bindings.ts";
import type { EndpointLease, EndpointPool } from "./endpoint-pool.ts";
import { inTurns } from "./in-turns.ts";
import type { Router } from "./router.ts";
import type { VirtualLinks } from "./virtual-links.ts";

/** A router that stays, with what becomes of it. */
export interface Kept {
  readonly router: Router;
  readonly step: Extract<PlanStep<InstanceConfig>, { readonly action: "keep" }>;
}

interface Sources {
  readonly bindings: Bindings;
  readonly virtualLinks: VirtualLinks;
  readonly pool: EndpointPool<Router>;
}

/**
 * Links of what is to come, and with `lease` its sockets, held open until it has come. Throws a
 * KernelError when one cannot be had, and everything is as before then.
 */
export async function provision(
  { bindings, virtualLinks, pool }: Sources,
  fresh: readonly Router[],
  kept: readonly Kept[],
  lease: boolean,
): Promise<readonly EndpointLease[]> {
  const leases: EndpointLease[] = [];
  for (const router of fresh) bindings.specFor(router, router.config);
  await inTurns(kept, ({ router, step }) => bindings.specFor(router, step.to));
  await virtualLinks.settled();
  if (!lease) return leases;
  const hold = (router: Router, config: InstanceConfig): void => {
    const spec = bindings.specFor(router, config);
    if (spec !== undefined) leases.push(pool.lease(spec, config.router.vrid, router));
  };
  try {
    for (const router of fresh) hold(router, router.config);
    await inTurns(kept, ({ router, step }) => hold(router, step.to));
    return leases;
  } catch (error) {
    for (const one of leases) one.release();
    await Promise.all(fresh.map((router) => virtualLinks.release(router.id)));
    for (const { router } of kept) bindings.trim(router);
    throw error;
  }
}
