import { since } from "../core/time.ts";
import type { Peer } from "../core/vrrp/peers.ts";
import type { FencingSnapshot, PeerSnapshot, RouterSnapshot } from "../core/vrrp/snapshot.ts";
import type { Clock } from "../ports/clock.ts";
import type { Gatekeeper } from "./fencing/gatekeeper.ts";
import { lifetimeOfInstance } from "./fencing/lifetimes.ts";
import type { Mandates } from "./mandates/mandates.ts";
import type { Possessions } from "./possessions.ts";
import type { Router } from "./router.ts";

/** Who knows what is to be seen of routers. */
export interface SnapshotParts {
  readonly possessions: Possessions;
  readonly gatekeeper: Gatekeeper;
  readonly mandates: Mandates;
  readonly clock: Clock;
}

/** All that can be seen of each router, as plain JSON. */
export function* snapshotsOf(
  routers: readonly Router[],
  parts: SnapshotParts,
): Generator<RouterSnapshot> {
  for (const router of routers) yield snapshotOf(router, parts);
}

function snapshotOf(
  router: Router,
  { possessions, gatekeeper, mandates, clock }: SnapshotParts,
): RouterSnapshot {
  const { config, effective, state, counters } = router;
  return {
    name: router.name,
    vrid: effective.vrid,
    family: effective.family,
    version: effective.version,
    interface: config.interface ?? router.binding.base?.name ?? null,
    state: state.kind,
    priority: {
      base: config.router.priority,
      effective: effective.priority,
      contributions: router.contributions,
    },
    preempt: effective.preempt,
    advertisementInterval: effective.advertisementInterval,
    syncGroup: config.syncGroup ?? null,
    addresses: possessions.snapshot(router),
    fencing: fencingOf(router, gatekeeper),
    mandate: mandates.snapshot(router),
    faults: state.kind === "fault" || state.kind === "initialize" ? state.faults : [],
    active: state.kind === "backup" ? (state.active ?? null) : null,
    lastTransition: router.lastTransition ?? null,
    peers: router.peers.map((peer) => peerSnapshot(peer, clock)),
    counters: {
      ...counters,
      dropped: { ...counters.dropped },
      alarms: { ...counters.alarms },
      alarmTimes: { ...counters.alarmTimes },
    },
  };
}

function fencingOf(router: Router, gatekeeper: Gatekeeper): FencingSnapshot {
  const { config, effective, state } = router;
  const lifetime = lifetimeOfInstance(config) === undefined ? "off" : "lifetime";
  const kind = effective.fenced ? "gate" : lifetime;
  const door = gatekeeper.view(router);
  if (door === undefined) return { mode: config.fencing, kind, gate: null };
  const { remaining, margin } = door;
  const contested = state.kind === "active" && state.contest !== undefined;
  const shut = contested ? "contested" : "shut";
  return {
    mode: config.fencing,
    kind,
    gate: { state: remaining > 0 ? "open" : shut, remaining, margin },
  };
}

function peerSnapshot(peer: Peer, clock: Clock): PeerSnapshot {
  const { address, priority, advertisementInterval, checksum, sameAddresses } = peer;
  const ago = since(peer.heardAt, clock.now()) / 1_000;
  return {
    address,
    priority,
    advertisementInterval,
    checksum,
    sameAddresses,
    advertisements: peer.advertisements,
    lastHeardAt: Math.round(clock.wallClock() - ago),
  };
}
