import type { InstanceConfig } from "../config/config.ts";
import type { IpAddress } from "../core/address.ts";
import type { Instant } from "../core/time.ts";
import type { Peers } from "../core/vrrp/peers.ts";
import type { PriorityContribution, TransitionSnapshot } from "../core/vrrp/snapshot.ts";
import type { VrrpState } from "../core/vrrp/state.ts";
import { INITIAL } from "../core/vrrp/state.ts";
import type { VirtualRouter } from "../core/vrrp/virtual-router.ts";
import type { Link } from "../ports/network.ts";
import type { Credentials, SequenceState } from "../wire/authentication.ts";
import { credentialsOf, NO_SEQUENCES } from "../wire/authentication.ts";
import type { PacketTemplate } from "../wire/outgoing-packet.ts";
import type { AdvertPath } from "./advert-path.ts";
import type { Counters } from "./counters.ts";
import { newCounters } from "./counters.ts";
import type { EndpointLease } from "./endpoint-pool.ts";
import type { Slot } from "./schedule.ts";

/** Where a router is on its host. All of it may be missing, and come later. */
export interface Binding {
  /** The configured interface. */
  base: Link | undefined;
  /** Where advertisements travel. */
  transmit: Link | undefined;
  /** Where addresses go that name no interface. */
  home: Link | undefined;
  source: IpAddress | undefined;
  lease: EndpointLease | undefined;
  /** Where else they travel, as far as that can be used now. */
  readonly paths: Map<string, AdvertPath>;
  /** Its packets, one for the group or for each peer; `undefined`: to be made anew. */
  templates: readonly PacketTemplate[] | undefined;
}

/** One virtual router of this node, as it runs: its configuration, state and record. */
export interface Router {
  /** As configured; a reload may change it. */
  name: string;
  /** Tells two routers of one name apart: the one that goes and the one that comes in a reload. */
  readonly id: string;
  config: InstanceConfig;
  /** What the machine is told: `config.router` with the effective priority and source address. */
  effective: VirtualRouter;
  state: VrrpState;
  /** The machine's deadline. */
  readonly slot: Slot;
  readonly binding: Binding;
  credentials: Credentials;
  sequences: SequenceState;
  /** Just before the last advertisement of ours that left: what a lease counts from. */
  advertisedAt: Instant | undefined;
  peers: Peers;
  readonly counters: Counters;
  contributions: readonly PriorityContribution[];
  lastTransition: TransitionSnapshot | undefined;
  /** A reload removed or replaced it: it goes, though the agent runs on. */
  retired: boolean;
}

export function newRouter(config: InstanceConfig, id: string, slot: Slot): Router {
  return {
    name: config.router.name,
    id,
    config,
    effective: config.router,
    state: INITIAL,
    slot,
    binding: {
      base: undefined,
      transmit: undefined,
      home: undefined,
      source: undefined,
      lease: undefined,
      paths: new Map(),
      templates: undefined,
    },
    credentials: credentialsOf(config.authentication),
    sequences: NO_SEQUENCES,
    advertisedAt: undefined,
    peers: [],
    counters: newCounters(),
    contributions: [],
    lastTransition: undefined,
    retired: false,
  };
}

/** Marks a router that a reload takes away. */
export function retire(router: Router): Router {
  router.retired = true;
  return router;
}
