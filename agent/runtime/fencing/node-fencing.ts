import type { Driver } from "../driver.ts";
import type { Guard, Holdings } from "../holdings.ts";
import type { Mandates } from "../mandates/mandates.ts";
import type { Possessions } from "../possessions.ts";
import type { Reports } from "../reports.ts";
import type { Router } from "../router.ts";
import type { Schedule } from "../schedule.ts";
import type { World } from "../world.ts";
import type { PossibleDirector } from "./director-macs.ts";
import { DirectorMacs } from "./director-macs.ts";
import { Fencing } from "./fencing.ts";
import { Gatekeeper } from "./gatekeeper.ts";
import { Lifetimes } from "./lifetimes.ts";
import { OtherHolders } from "./other-holders.ts";

/** Parts of a node that are made after its fencing, as they need it. */
export interface FencedNode {
  readonly possessions: Possessions;
  readonly holdings: Holdings;
  readonly driver: Driver;
  /** Nodes that may direct traffic to this one. */
  others(): readonly PossibleDirector[];
  readonly mandates: Pick<Mandates, "limitOf" | "suspended">;
  routers(): readonly Router[];
  /** What the kernel can do for all routers is other than before. */
  changed(): void;
}

/** How a node keeps its routers' addresses from being reachable in two places. */
export interface NodeFencing {
  readonly fencing: Fencing;
  readonly gatekeeper: Gatekeeper;
  readonly lifetimes: Lifetimes;
  readonly others: OtherHolders;
  /** In the order in which they are asked before an address is there. */
  readonly guards: readonly Guard[];
  close(): void;
}

export function nodeFencing(
  { network, gate, holderProbes: probes, clock, watchSuspension }: World,
  schedule: Schedule,
  reports: Reports,
  node: () => FencedNode,
): NodeFencing {
  const fencing = new Fencing(gate, clock, schedule, {
    changed: () => node().changed(),
    restored: () => reports.gateRestored(gatekeeper.routers()),
    tell: (level, message) => reports.host(level, "gate", message),
  });
  const gatekeeper = new Gatekeeper({
    gate,
    probes,
    clock,
    schedule,
    addressesOf: (router) => node().possessions.places(router),
    askable: (router) => node().possessions.askable(router),
    holderSilent: (router) => node().driver.deliver(router, { kind: "holder-silent" }),
    lapsed: (router) => {
      router.counters.leasesLapsed += 1;
      node().driver.deliver(router, { kind: "lease-lapsed" });
    },
    limitOf: (router) => node().mandates.limitOf(router),
    refused: (router, { message, remedy }) =>
      reports.host("error", router.name, `${message}; ${remedy}`),
  });
  const lifetimes = new Lifetimes({
    network,
    clock,
    schedule,
    kept: (key) => node().holdings.kept(key),
    tell: (level, message) => reports.host(level, "lifetime", message),
  });
  const directors = new DirectorMacs({
    gate,
    probes,
    network,
    clock,
    schedule,
    others: () => node().others(),
    refused: ({ message, remedy }) => reports.host("error", "gate", `${message}; ${remedy}`),
  });
  const others = new OtherHolders({
    probes,
    network,
    clock,
    schedule,
    askable: (router) => node().possessions.askable(router),
    found: (router, holder) => reports.otherHolder(router, holder),
    over: (router, holder, why) => reports.otherHolderOver(router, holder, why),
  });
  const guards = [gatekeeper, lifetimes, directors];
  const unwatch = watchSuspension?.((missed) => {
    const { driver, mandates, routers } = node();
    const shut = gatekeeper.suspended();
    const text = `the machine was suspended for ${(missed / 1_000_000).toFixed(1)} s`;
    if (shut.length > 0)
      reports.host("warn", "gate", `${text}: gates are shut until nobody else is found`);
    for (const { counters } of shut) counters.leasesLapsed += 1;
    mandates.suspended();
    // Groups whose members begin to listen anew give up what they sought.
    for (const router of routers()) driver.deliver(router, { kind: "suspended" });
  });
  const close = (): void => {
    unwatch?.();
    for (const part of [fencing, others, ...guards]) part.close();
  };
  return { fencing, gatekeeper, lifetimes, others, guards, close };
}
