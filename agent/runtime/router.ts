import type { InstanceConfig } from "../config/config.ts";
import type {
  PriorityContribution,
  RouterSnapshot,
  TransitionSnapshot,
} from "../core/vrrp/snapshot.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import { INITIAL } from "../core/vrrp/state.ts";
import type { VirtualRouter } from "../core/vrrp/virtual-router.ts";
import type { Counters } from "./counters.ts";
import { newCounters } from "./counters.ts";
import type { Slot } from "./schedule.ts";

/** One virtual router of this node, as it runs: its configuration, state and record. */
export interface Router {
  readonly name: string;
  config: InstanceConfig;
  /** What the machine is told: `config.router` with the effective priority and source address. */
  effective: VirtualRouter;
  state: VrrpState;
  /** The machine's deadline. */
  readonly slot: Slot;
  readonly counters: Counters;
  contributions: readonly PriorityContribution[];
  lastTransition: TransitionSnapshot | undefined;
}

export function newRouter(config: InstanceConfig, slot: Slot): Router {
  return {
    name: config.router.name,
    config,
    effective: config.router,
    state: INITIAL,
    slot,
    counters: newCounters(),
    contributions: [],
    lastTransition: undefined,
  };
}

export type RouterRecord = Pick<RouterSnapshot, "counters" | "peers" | "lastTransition">;
