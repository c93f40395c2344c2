import type { IpAddress } from "../address.ts";
import { isLinkLocal, isMulticast } from "../address.ts";
import type { Micros } from "../time.ts";
import type { Advertisement } from "./advertisement.ts";
import type { Decoded, DropReason } from "./drop-reason.ts";
import { RELEASE_PRIORITY } from "./virtual-router.ts";

/** The TTL or hop limit that proves a packet was not forwarded. RFC 9568 §5.1.1.3. */
const UNFORWARDED_TTL = 255;

/** What one virtual router lets in. Made from its configuration; plain JSON. */
export interface AdmissionPolicy {
  readonly version: 2 | 3;
  readonly advertisementInterval: Micros;
  /** Our effective priority. */
  readonly priority: number;
  readonly primaryAddress: IpAddress | undefined;
  /** The socket hands back what we send ourselves. */
  readonly loopback: boolean;
  readonly transport: AdmissionTransport;
  /** The addresses that we advertise. */
  readonly addresses: readonly IpAddress[];
  readonly addressListMismatch: "alarm" | "drop";
  /** Check the list only when the sender is not who was heard last. */
  readonly skipAddressListCheck: boolean;
  readonly strict: boolean;
  /** We own the addresses, and are told to ignore all others. */
  readonly ignoreAll: boolean;
}

export type AdmissionTransport =
  | { readonly mode: "multicast"; readonly group: IpAddress }
  | {
      readonly mode: "unicast";
      readonly peers: readonly AdmittedPeer[];
      /** Bounds on a peer's TTL switch this on too, as they mean nothing for others. */
      readonly checkSource: boolean;
    };

export interface AdmittedPeer {
  readonly address: IpAddress;
  readonly minTtl: number | undefined;
  readonly maxTtl: number | undefined;
}

/** One decoded and authenticated advertisement with what its IP header said. */
export interface Arrival {
  readonly source: IpAddress;
  /** `undefined`: the kernel does not tell. */
  readonly destination: IpAddress | undefined;
  /** `undefined`: the kernel does not tell, and filters on it. */
  readonly ttl: number | undefined;
  readonly priority: number;
  readonly maxAdvertiseInterval: Micros;
  readonly addresses: readonly IpAddress[];
}

export interface Admitted {
  readonly advertisement: Advertisement;
  /** `undefined`: not compared. */
  readonly sameAddresses: boolean | undefined;
  /** IPv4: always true. RFC 9568 §5.2.9 wants it of IPv6. */
  readonly firstAddressLinkLocal: boolean;
}

/**
 * The part of the receive ladder that needs no packet bytes, in its order (RFC 9568 §7.1). Version,
 * type, length, checksum, VRID, counts and authentication were checked by the decoders before.
 *
 * @param lastHeard who sent the last admitted advertisement, for `skipAddressListCheck`
 */
export function admit(
  policy: AdmissionPolicy,
  arrival: Arrival,
  lastHeard: IpAddress | undefined,
): Decoded<Admitted> {
  const skip = policy.skipAddressListCheck && arrival.source === lastHeard;
  const sameAddresses = skip ? undefined : sameSet(arrival.addresses, policy.addresses);
  const firstAddressLinkLocal = beginsLinkLocal(arrival);
  const reason =
    refuseTtl(policy.transport, arrival.source, arrival.ttl) ??
    refuseInterval(policy, arrival) ??
    refusePath(policy, arrival) ??
    refuseContent(policy, sameAddresses, firstAddressLinkLocal);
  if (reason !== undefined) return { ok: false, reason };
  const { source, priority, maxAdvertiseInterval } = arrival;
  const advertisement: Advertisement = { source, priority, maxAdvertiseInterval };
  return { ok: true, value: { advertisement, sameAddresses, firstAddressLinkLocal } };
}

/** The first rung, which can be asked before anything is decoded. */
export function refuseTtl(
  transport: AdmissionTransport,
  source: IpAddress,
  ttl: number | undefined,
): DropReason | undefined {
  if (ttl === undefined) return undefined;
  if (transport.mode === "multicast") return ttl === UNFORWARDED_TTL ? undefined : "ttl";
  const peer = transport.peers.find(({ address }) => address === source);
  if (peer === undefined) return undefined;
  const { minTtl = 0, maxTtl = UNFORWARDED_TTL } = peer;
  return ttl >= minTtl && ttl <= maxTtl ? undefined : "ttl";
}

/** v2 has all routers share one interval; v3 adopts the active router's. */
const refuseInterval = (policy: AdmissionPolicy, arrival: Arrival): DropReason | undefined =>
  policy.version === 2 && arrival.maxAdvertiseInterval !== policy.advertisementInterval
    ? "interval-mismatch"
    : undefined;

function refusePath(policy: AdmissionPolicy, arrival: Arrival): DropReason | undefined {
  const { transport, primaryAddress } = policy;
  const { source, destination } = arrival;
  if (destination !== undefined && !fitsMode(transport, destination)) return "destination";
  if (transport.mode === "unicast" && checksSource(transport.checkSource, transport.peers)) {
    if (!transport.peers.some(({ address }) => address === source)) return "source-not-a-peer";
  }
  // From our address but not as we send: a duplicate of our address, and that must be heard.
  const asWeSend = arrival.priority === policy.priority || arrival.priority === RELEASE_PRIORITY;
  return policy.loopback && source === primaryAddress && asWeSend ? "own-packet" : undefined;
}

const fitsMode = (transport: AdmissionTransport, destination: IpAddress): boolean =>
  transport.mode === "multicast" ? destination === transport.group : !isMulticast(destination);

const checksSource = (asked: boolean, peers: readonly AdmittedPeer[]): boolean =>
  asked || peers.some(({ minTtl, maxTtl }) => minTtl !== undefined || maxTtl !== undefined);

function refuseContent(
  policy: AdmissionPolicy,
  sameAddresses: boolean | undefined,
  firstAddressLinkLocal: boolean,
): DropReason | undefined {
  if (policy.strict && !firstAddressLinkLocal) return "first-address-not-link-local";
  if (policy.addressListMismatch === "drop" && sameAddresses === false) return "address-list";
  return policy.ignoreAll ? "owner-ignores" : undefined;
}

/** keepalived without an IPv6 address to advertise sends none at all: nothing to object to. */
function beginsLinkLocal({ addresses: [first] }: Arrival): boolean {
  return first === undefined || !first.includes(":") || isLinkLocal(first);
}

/** The order and repeats play no part. */
function sameSet(a: readonly IpAddress[], b: readonly IpAddress[]): boolean {
  if (a === b) return true;
  if (a.length === b.length && a.every((address, at) => address === b[at])) return true;
  const left = new Set(a);
  const right = new Set(b);
  return left.size === right.size && [...left].every((address) => right.has(address));
}
