import type { IpAddress } from "../address.ts";
import type { Decoded } from "../vrrp/drop-reason.ts";
import type { ControlPacket, RefusedReason } from "./packet.ts";

/** Single-hop sessions and multihop ones have a port each. RFC 5881 §4, RFC 5883 §5. */
export type Hops = "single" | "multiple";

/** What one session lets in. */
export interface BfdPeer {
  readonly discriminator: number;
  readonly hops: Hops;
  readonly neighbour: IpAddress;
  /** Our address; `undefined`: any. */
  readonly source: IpAddress | undefined;
  /** Where it must come in; `undefined`: anywhere. */
  readonly interfaceIndex: number | undefined;
  /** 0–255. */
  readonly leastTtl: number;
}

/** What the kernel says of a packet beside its bytes. */
export interface BfdArrival {
  readonly hops: Hops;
  readonly source: IpAddress;
  readonly destination: IpAddress | undefined;
  readonly ttl: number | undefined;
  readonly interfaceIndex: number | undefined;
}

/** Sessions by what a packet is looked up with. */
export interface BfdPeers<Peer extends BfdPeer> {
  readonly byDiscriminator: ReadonlyMap<number, Peer>;
  readonly byNeighbour: ReadonlyMap<IpAddress, readonly Peer[]>;
}

export function bfdPeers<Peer extends BfdPeer>(peers: readonly Peer[]): BfdPeers<Peer> {
  const byNeighbour = new Map<IpAddress, Peer[]>();
  for (const peer of peers) {
    const others = byNeighbour.get(peer.neighbour);
    if (others === undefined) byNeighbour.set(peer.neighbour, [peer]);
    else others.push(peer);
  }
  return {
    byDiscriminator: new Map(peers.map((peer) => [peer.discriminator, peer])),
    byNeighbour,
  };
}

/**
 * Which session a packet is for, or why for none. A discriminator of ours is not enough: the sender
 * must be that session's neighbour, so that nobody elsewhere can guess a session down.
 */
export function admitControl<Peer extends BfdPeer>(
  peers: BfdPeers<Peer>,
  arrival: BfdArrival,
  packet: ControlPacket,
): Decoded<Peer, RefusedReason> {
  const found = select(peers, arrival, packet);
  if (typeof found === "string") return { ok: false, reason: found };
  // What the kernel does not tell cannot be proven: RFC 5881 §5 leaves no choice.
  if ((arrival.ttl ?? -1) < found.leastTtl) return { ok: false, reason: "ttl" };
  return { ok: true, value: found };
}

function select<Peer extends BfdPeer>(
  peers: BfdPeers<Peer>,
  arrival: BfdArrival,
  { yourDiscriminator, state }: ControlPacket,
): Peer | RefusedReason {
  if (yourDiscriminator !== 0) {
    const named = peers.byDiscriminator.get(yourDiscriminator);
    if (named === undefined) return "unknown-discriminator";
    return fits(named, arrival) ? named : "wrong-neighbour";
  }
  const known = peers.byNeighbour.get(arrival.source)?.find((peer) => fits(peer, arrival));
  if (known === undefined) return "unknown-neighbour";
  return state === "down" || state === "admin-down" ? known : "discriminator-missing";
}

const fits = (peer: BfdPeer, arrival: BfdArrival): boolean =>
  peer.neighbour === arrival.source &&
  peer.hops === arrival.hops &&
  (peer.source ?? arrival.destination) === arrival.destination &&
  (peer.interfaceIndex ?? arrival.interfaceIndex) === arrival.interfaceIndex;
