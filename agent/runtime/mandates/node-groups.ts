import type { AddressRequest, Network } from "../../ports/network.ts";
import type { BfdSessions } from "../bfd/bfd-sessions.ts";
import type { Driver } from "../driver.ts";
import type { Gatekeeper } from "../fencing/gatekeeper.ts";
import type { Holdings } from "../holdings.ts";
import type { MandateWish } from "../ipc.ts";
import type { Reports } from "../reports.ts";
import type { Router } from "../router.ts";
import type { Schedule } from "../schedule.ts";
import { SyncGroups } from "../sync-groups.ts";
import type { World } from "../world.ts";
import { Mandates } from "./mandates.ts";

/** Parts of a node that are made after its groups, as they need them. */
export interface MandatedNode {
  readonly driver: Driver;
  readonly gatekeeper: Gatekeeper;
  readonly holdings: Holdings;
  readonly bfd: BfdSessions;
}

/** What a node's groups and mandates are made with. */
export interface GroupingParts {
  readonly schedule: Schedule;
  readonly reports: Reports;
  /** Says to the witness process what is wanted. */
  readonly say: (wish: MandateWish) => void;
  readonly member: (name: string) => Router | undefined;
}

/** The groups of a node, and the mandates that they need. */
export interface NodeGroups {
  readonly groups: SyncGroups;
  readonly mandates: Mandates;
}

export function nodeGroups(
  { clock, network }: Pick<World, "clock" | "network">,
  { schedule, reports, say, member }: GroupingParts,
  node: () => MandatedNode,
): NodeGroups {
  const groups: SyncGroups = new SyncGroups({
    member,
    deliver: (router, event) => node().driver.deliver(router, event),
    changed: (name, transition) => reports.group(name, transition, mandates.epoch(name)),
    sought: (mandate, fence) => mandates.sought(mandate, fence),
    kept: (mandate) => mandates.kept(mandate),
    returned: (mandate) => mandates.returned(mandate),
  });
  const mandates: Mandates = new Mandates({
    clock,
    schedule,
    member,
    say,
    tellGroup: (mandate, event) => groups.mandate(mandate, event),
    sessionsUp: (members) => {
      const { bfd } = node();
      const trackers = members.flatMap((name) => [
        ...(member(name)?.config.trackers ?? []),
        ...(groups.configOf(name)?.trackers ?? []),
      ]);
      const readings = trackers.flatMap(({ tracker }) => bfd.reading(tracker) ?? []);
      return readings.length > 0 && readings.every(({ verdict }) => verdict === "up");
    },
    limited: (routers) => node().gatekeeper.limited(routers),
    whenShut: async (router) => {
      const { gatekeeper, holdings } = node();
      await gatekeeper.whenShut(router);
      if (router.effective.fenced) return;
      // Without a gate it is reachable as long as it has its addresses.
      let stuck = false;
      await holdings.whenGone(router.id, (left) => {
        stuck = true;
        for (const one of left) reports.host("error", router.name, stuckText(one, network));
      });
      if (stuck) reports.host("warn", router.name, GONE);
    },
    tell: (level, mandate, message) => reports.host(level, mandate, message),
  });
  return { groups, mandates };
}

const GONE = "the addresses that could not be removed are gone: its lease goes back";

function stuckText(
  { interfaceIndex, address }: AddressRequest,
  network: Pick<Network, "links">,
): string {
  const link = network.links().get(interfaceIndex)?.name ?? `interface ${interfaceIndex}`;
  const text = `${address.address}/${address.prefixLength}`;
  return `${text} on ${link} could not be removed and is reachable there, so its lease is not given back and no other node takes over: ip address del ${text} dev ${link}`;
}
