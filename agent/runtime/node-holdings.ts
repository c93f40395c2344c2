import { Backoff } from "./backoff.ts";
import type { Guard } from "./holdings.ts";
import { Holdings } from "./holdings.ts";
import type { Losses } from "./losses.ts";
import type { Possessions } from "./possessions.ts";
import type { Reports } from "./reports.ts";
import type { Router } from "./router.ts";
import type { Schedule } from "./schedule.ts";
import type { World } from "./world.ts";

/** Parts of a node that are made after its holdings, as they need them. */
export interface HoldingNode {
  readonly reports: Reports;
  readonly possessions: Possessions;
  readonly losses: Losses;
}

/** What the routers of a node hold on its host. What the host refuses once it may grant later. */
export function nodeHoldings(
  { network, clock }: World,
  schedule: Schedule,
  guards: readonly Guard[],
  routerById: (id: string) => Router | undefined,
  node: () => HoldingNode,
): Holdings {
  const retries = new Backoff(clock, schedule, () => {
    for (const owner of holdings.retry()) {
      const router = routerById(owner);
      if (router !== undefined) node().possessions.announce(router, 1);
    }
  });
  const holdings: Holdings = new Holdings(network, guards, (owners, _, { message }) => {
    const { reports, possessions, losses } = node();
    for (const owner of owners) {
      const router = routerById(owner);
      reports.host("error", router?.name ?? owner, message);
      if (router) possessions.unlessHeld(router, (one) => losses.refused(one));
    }
    retries.failed();
  });
  return holdings;
}
