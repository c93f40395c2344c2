import type { CommandConfig } from "../../config/trackers.ts";
import type { VirtualServerConfig } from "../../config/virtual-servers.ts";
import type { Telling } from "../../core/notify/tell.ts";
import { tellQuorum, tellServer } from "../../core/notify/tell-service.ts";
import type { PoolEffect } from "../../core/virtual-server/pool.ts";
import { takesPart } from "../../core/virtual-server/settle.ts";
import type { Served } from "./served.ts";

/** What is to be told of one subject, one after another. */
export interface Told {
  readonly subject: string;
  readonly tellings: readonly Telling<CommandConfig>[];
}

interface How {
  readonly routerId: string;
  /** rs_init_notifies: real servers that are up from the start are told too. */
  readonly notifyAtStart: boolean;
}

/** What keepalived would tell of this; `undefined`: nothing. */
export function tellingsOf(
  served: Served,
  effect: PoolEffect,
  before: VirtualServerConfig,
  { routerId, notifyAtStart }: How,
): Told | undefined {
  if (effect.kind === "quorum") {
    const when = effect.start ? "start" : "later";
    const tellings = tellQuorum(served.config, { ...effect, when }, routerId);
    return { subject: `virtual server ${served.name}`, tellings };
  }
  if (effect.kind !== "server" || (effect.start && !notifyAtStart)) return undefined;
  const real = served.realServer(effect.server, before);
  if (real === undefined) return undefined;
  const tellings = tellServer(real, served.config, effect, routerId);
  return { subject: `real server ${real.name} of ${served.name}`, tellings };
}

/** omega: at a stop all that was up is told down. */
export function shutdownTellings(served: Served, routerId: string): readonly Told[] {
  const { config, state, name } = served;
  if (!config.omega) return [];
  const told: Told[] = [];
  for (const [key, server] of Object.entries(state.servers)) {
    const real = served.realServer(key as keyof typeof state.servers);
    if (real === undefined || !takesPart(server)) continue;
    const down = { up: false, reason: "Shutting down" };
    const tellings = tellServer(real, config, down, routerId);
    told.push({ subject: `real server ${real.name} of ${name}`, tellings });
  }
  const down = { up: false, weight: 0, threshold: 0, when: "shutdown" } as const;
  const tellings = tellQuorum(config, down, routerId);
  return [...told, { subject: `virtual server ${name}`, tellings }];
}
