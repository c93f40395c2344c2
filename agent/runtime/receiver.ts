import type { IpAddress } from "../core/address.ts";
import { addressFromBytes } from "../core/address.ts";
import type { AdmissionPolicy } from "../core/vrrp/admission.ts";
import { admit } from "../core/vrrp/admission.ts";
import type { Claim, ClaimAlarm } from "../core/vrrp/claim.ts";
import { isForeign, judge, mayClaim } from "../core/vrrp/claim.ts";
import type { DropReason } from "../core/vrrp/drop-reason.ts";
import type { VrrpEvent } from "../core/vrrp/event.ts";
import type { PeerAlarm } from "../core/vrrp/peers.ts";
import { hearPeer } from "../core/vrrp/peers.ts";
import { OWNER_PRIORITY, RELEASE_PRIORITY } from "../core/vrrp/virtual-router.ts";
import type { Endpoint, ReceivedPacket } from "../ports/advertisement-sockets.ts";
import type { Clock } from "../ports/clock.ts";
import { NO_SEQUENCES } from "../wire/authentication.ts";
import type { Hmac } from "../wire/hmac.ts";
import type { Acceptance, IncomingAdvertisement } from "../wire/incoming-packet.ts";
import { claimIn, decodePacket, ON_LINK, peekPacketVrid } from "../wire/incoming-packet.ts";
import { advertised } from "./advertised.ts";
import { countDrop } from "./counters.ts";
import type { SharedEndpoint } from "./endpoint-pool.ts";
import type { Router } from "./router.ts";

/** What a receiver tells. */
export interface Receipts {
  deliver(router: Router, event: VrrpEvent): void;
  alarm(router: Router, alarm: Exclude<PeerAlarm, "address-list-mismatch">, from: IpAddress): void;
  /** Another one uses this router's VRID, and not as it should. */
  claim(router: Router, alarm: ClaimAlarm, claim: Claim, from: IpAddress): void;
  dropped(router: Router, reason: DropReason, from: IpAddress): void;
  /** Nobody here has this VRID; heard only while foreign VRIDs are let through. */
  unknown(vrid: number, from: IpAddress, interfaceIndex: number | undefined): void;
}

/** Takes packets through the receive ladder, and advertisements to their routers. */
export class Receiver {
  readonly #clock: Clock;
  readonly #hmac: Hmac;
  readonly #receipts: Receipts;

  constructor(clock: Clock, hmac: Hmac, receipts: Receipts) {
    this.#clock = clock;
    this.#hmac = hmac;
    this.#receipts = receipts;
  }

  packet(packet: ReceivedPacket, shared: SharedEndpoint<Router>): void {
    const vrid = peekPacketVrid(packet.bytes, shared.spec.family);
    const users = vrid === undefined ? [] : shared.users(vrid);
    const router = users.length > 1 ? addressee(users, packet) : users[0];
    if (router !== undefined) {
      this.#hear(router, packet, shared.endpoint);
      return;
    }
    const decoded = decodePacket(packet, undefined, NO_SEQUENCES, 0, this.#hmac);
    if (!decoded.ok && decoded.reason === "unknown-vrid" && vrid !== undefined) {
      this.#receipts.unknown(vrid, packet.source, shared.spec.interfaceIndex);
    }
  }

  #hear(router: Router, packet: ReceivedPacket, endpoint: Endpoint): void {
    const over = wayOf(router, endpoint);
    if (isOurs(router, packet.source, endpoint)) {
      this.#drop(router, "own-packet", packet);
      return;
    }
    const decoded = decodePacket(
      packet,
      acceptance(router),
      router.sequences,
      this.#clock.wallClock(),
      this.#hmac,
    );
    if (!decoded.ok) {
      this.#drop(router, decoded.reason, packet);
      return;
    }
    const message = over === "home" ? decoded.value : asAtHome(router, decoded.value);
    const admitted = admit(policy(router, over), message, router.peers.at(-1)?.address);
    // A number is spent when its sender is known to be genuine, admitted or not.
    router.sequences = message.sequences;
    if (!admitted.ok) {
      this.#drop(router, admitted.reason, packet, message);
      return;
    }
    this.#record(router, message, packet, admitted.value);
    this.#receipts.deliver(router, {
      kind: "advertisement",
      advertisement: admitted.value.advertisement,
    });
  }

  #record(
    router: Router,
    message: IncomingAdvertisement,
    packet: ReceivedPacket,
    admitted: Parameters<typeof hearPeer>[1],
  ): void {
    router.counters.advertisementsReceived += 1;
    if (message.priority === RELEASE_PRIORITY) router.counters.priorityZeroReceived += 1;
    const ownChecksum = message.checksum === undefined ? undefined : router.config.checksum;
    const heard = hearPeer(router.peers, admitted, message.checksum, ownChecksum, packet.at);
    router.peers = heard.peers;
    for (const { alarm, from } of heard.alarms) {
      if (alarm !== "address-list-mismatch") {
        this.#receipts.alarm(router, alarm, from);
        continue;
      }
      const foreign = isForeign(message.addresses, advertised(router));
      this.#receipts.claim(router, foreign ? "vrid-clash" : alarm, message, from);
    }
  }

  #drop(
    router: Router,
    reason: DropReason,
    packet: ReceivedPacket,
    message?: IncomingAdvertisement,
  ): void {
    const from = message?.source ?? packet.source;
    countDrop(router.counters, reason);
    if (reason === "own-packet") return;
    const claim = mayClaim(reason) ? (message ?? claimIn(packet)) : undefined;
    // It lets go: what there was to tell of it was told.
    if (claim?.priority === RELEASE_PRIORITY) return;
    const judged = claim && judge(reason, claim, advertised(router));
    if (judged?.claims === true && router.state.kind === "active") {
      this.#receipts.deliver(router, { kind: "foreign-claim", from });
    }
    if (claim === undefined || judged?.alarm === undefined) {
      this.#receipts.dropped(router, reason, from);
    } else this.#receipts.claim(router, judged.alarm, claim, from);
  }
}

/** Over the router's own interface, or over a further one. */
type Way = "home" | "elsewhere";

const wayOf = ({ binding }: Router, endpoint: Endpoint): Way =>
  [...binding.paths.values()].some(({ lease }) => lease.endpoint === endpoint)
    ? "elsewhere"
    : "home";

/** From another interface of this router: the two are on one segment. */
function isOurs({ binding }: Router, source: IpAddress, endpoint: Endpoint): boolean {
  const { paths, lease } = binding;
  if (paths.size === 0) return false;
  if (source === binding.source && lease?.endpoint !== endpoint) return true;
  return [...paths.values()].some(
    (path) => path.source === source && path.lease.endpoint !== endpoint,
  );
}

/** What came over another interface ends with the address that its sender has at home. */
function asAtHome(router: Router, message: IncomingAdvertisement): IncomingAdvertisement {
  const { addresses } = message;
  const own = advertised(router);
  const source = addresses.at(-1);
  // A peer's own interface may be on this segment: then it says no more than it does at home.
  const bare = addresses.length === own.length && own.every((one) => addresses.includes(one));
  if (source === undefined || bare) return message;
  return { ...message, source, addresses: addresses.slice(0, -1) };
}

/** In unicast, several routers may share a VRID: the packet says whom it is for, or from. */
function addressee(users: readonly Router[], packet: ReceivedPacket): Router | undefined {
  const destination = packet.destination ?? ipv4Destination(packet.bytes);
  const mine = users.find((one) => one.binding.source === destination);
  const peer = users.find(
    ({ config: { transport } }) =>
      transport.mode === "unicast" && transport.peers.some((p) => p.address === packet.source),
  );
  return mine ?? peer ?? users[0];
}

const ipv4Destination = (bytes: Uint8Array): IpAddress | undefined =>
  bytes.length >= 20 && (bytes[0] ?? 0) >> 4 === 4
    ? addressFromBytes(bytes.subarray(16, 20))
    : undefined;

function acceptance(router: Router): Acceptance {
  const { effective, config } = router;
  const unicast = config.transport.mode === "unicast";
  return {
    version: effective.version,
    vrid: effective.vrid,
    unicast,
    // A unicast peer's bounds are known per peer: admission holds them.
    ttl: unicast ? undefined : ON_LINK,
    credentials: router.credentials,
    withoutAddresses: config.addresses.length === 0,
  };
}

function policy(router: Router, over: Way): AdmissionPolicy {
  const { effective, config, binding } = router;
  return {
    version: effective.version,
    advertisementInterval: effective.advertisementInterval,
    priority: effective.priority,
    primaryAddress: binding.source,
    // The sockets switch IP_MULTICAST_LOOP off. Between two interfaces there may be a loop all the same.
    loopback: over === "elsewhere",
    transport: config.transport,
    addresses: advertised(router),
    addressListMismatch: config.addressListMismatch,
    skipAddressListCheck: config.skipAddressListCheck,
    strict: config.strict,
    ignoreAll: effective.priority === OWNER_PRIORITY && effective.ownerIgnoreAdverts,
  };
}
