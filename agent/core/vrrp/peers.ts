import type { IpAddress } from "../address.ts";
import type { Instant, Micros } from "../time.ts";
import type { Admitted } from "./admission.ts";

/** More senders than this on one virtual router are a flood; who was silent longest goes. */
export const MAX_PEERS = 64;

/** What is odd about a peer, told once whenever it begins. Closed; also the counter's name. */
export type PeerAlarm =
  /** It advertises other addresses than ours. */
  | "address-list-mismatch"
  /** Its IPv4 v3 checksum covers something else than ours or another peer's does. */
  | "checksum-mix"
  /** Its first IPv6 address is not link-local. RFC 9568 §5.2.9. */
  | "first-address-not-link-local";

export type PeerChecksum = "message" | "pseudo-header" | undefined;

/** A router that was heard on this virtual router's segment. Plain JSON. */
export interface Peer {
  readonly address: IpAddress;
  readonly priority: number;
  readonly advertisementInterval: Micros;
  readonly checksum: PeerChecksum;
  readonly sameAddresses: boolean;
  readonly firstAddressLinkLocal: boolean;
  readonly advertisements: number;
  readonly heardAt: Instant;
}

/** Who was silent longest comes first. */
export type Peers = readonly Peer[];

export interface PeersHeard {
  readonly peers: Peers;
  readonly alarms: readonly { readonly alarm: PeerAlarm; readonly from: IpAddress }[];
}

/**
 * Records an admitted advertisement.
 *
 * @param checksum the form of its checksum
 * @param ownChecksum the form that we send; `undefined`: there is only one
 */
export function hearPeer(
  peers: Peers,
  { advertisement, sameAddresses, firstAddressLinkLocal }: Admitted,
  checksum: PeerChecksum,
  ownChecksum: PeerChecksum,
  now: Instant,
): PeersHeard {
  const { source, priority, maxAdvertiseInterval } = advertisement;
  const known = peers.find(({ address }) => address === source);
  const peer: Peer = {
    address: source,
    priority,
    advertisementInterval: maxAdvertiseInterval,
    checksum,
    // What was not compared this time is as it was.
    sameAddresses: sameAddresses ?? known?.sameAddresses ?? true,
    firstAddressLinkLocal,
    advertisements: (known?.advertisements ?? 0) + 1,
    heardAt: now,
  };
  const others = peers.filter((other) => other !== known);
  const begun: PeerAlarm[] = [];
  if (!peer.sameAddresses && known?.sameAddresses !== false) begun.push("address-list-mismatch");
  if (checksum !== known?.checksum && mixes(checksum, ownChecksum, others)) {
    begun.push("checksum-mix");
  }
  if (!firstAddressLinkLocal && known?.firstAddressLinkLocal !== false) {
    begun.push("first-address-not-link-local");
  }
  return {
    peers: [...others.slice(-(MAX_PEERS - 1)), peer],
    alarms: begun.map((alarm) => ({ alarm, from: source })),
  };
}

const mixes = (checksum: PeerChecksum, ownChecksum: PeerChecksum, others: Peers): boolean =>
  checksum !== undefined &&
  [ownChecksum, ...others.map((other) => other.checksum)].some(
    (form) => form !== undefined && form !== checksum,
  );
