import type { Family, IpAddress } from "../core/address.ts";
import { familyOf } from "../core/address.ts";
import { KernelError } from "../ports/error.ts";
import type { NeighbourOutcome, NeighbourProbes } from "../ports/probes.ts";
import { arpRequest, decodeArp } from "../wire/arp.ts";
import { ETHERTYPE_ARP, ETHERTYPE_IPV6 } from "../wire/ethernet.ts";
import { decodeNeighborAdvertisement, neighborSolicitation } from "../wire/ndisc.ts";
import { lastErrno, libc } from "./libc.ts";
import { neighbourFilter } from "./neighbour-filter.ts";
import type { NeighbourWay } from "./neighbour-way.ts";
import { findWay } from "./neighbour-way.ts";
import { Channel } from "./netlink/channel.ts";
import { attachFilter } from "./packet-filter.ts";
import { pollDescriptor } from "./polled-descriptor.ts";
import { AF_PACKET, SOCK_NONBLOCK_CLOEXEC, SOCK_RAW } from "./socket-option.ts";

/** A lost frame is sent again after this. */
const RETRY_MS = 250;
const LONGEST_FRAME = 1_514;

/** Probes by packet sockets of their own; one netlink socket finds the way, from the first probe on. */
export function openNeighbourProbes(): NeighbourProbes {
  let channel: Channel | undefined;
  return {
    async probe(target, signal) {
      channel ??= new Channel();
      // Before the first await: in the network namespace that the caller is in.
      const fd = openFrameSocket(familyOf(target.address));
      const way = await findWay(channel, target);
      if (way.kind === "way" && !signal.aborted) return ask(fd, target.address, way, signal);
      libc().close(fd);
      return way.kind === "way" ? { kind: "silent" } : way;
    },
    close() {
      channel?.close();
      channel = undefined;
    },
  };
}

function ask(
  fd: number,
  address: IpAddress,
  way: NeighbourWay,
  signal: AbortSignal,
): Promise<NeighbourOutcome> {
  const place = linkAddress(familyOf(address), way.interfaceIndex);
  const question = frameFor(address, way);
  const bound = question !== undefined && libc().bind(fd, place, place.length) === 0;
  if (!bound) {
    const errno = question === undefined ? "EADDRNOTAVAIL" : lastErrno();
    libc().close(fd);
    return Promise.resolve({ kind: "refused", errno });
  }
  return new Promise((resolve) => {
    const finish = (outcome: NeighbourOutcome): void => {
      clearInterval(retry);
      signal.removeEventListener("abort", giveUp);
      poll.close();
      resolve(outcome);
    };
    const giveUp = (): void => finish({ kind: "silent" });
    const send = (): void => {
      if (libc().sendto(fd, question, question.length, 0, place, place.length) >= 0) return;
      finish({ kind: "refused", errno: lastErrno() });
    };
    const poll = pollDescriptor(fd, LONGEST_FRAME, (frame) => {
      const mac = answerIn(frame, address);
      if (mac !== undefined) finish({ kind: "answered", mac });
    });
    const retry = setInterval(send, RETRY_MS);
    signal.addEventListener("abort", giveUp);
    send();
  });
}

function frameFor(target: IpAddress, { source, mac }: NeighbourWay): Uint8Array | undefined {
  if (familyOf(target) === "ipv4")
    return arpRequest(target, source ?? ("0.0.0.0" as IpAddress), mac);
  return source === undefined ? undefined : neighborSolicitation(target, source, mac);
}

/** The neighbour's MAC, if this frame is its answer. */
export function answerIn(frame: Uint8Array, target: IpAddress): string | undefined {
  if (familyOf(target) === "ipv4") {
    const arp = decodeArp(frame);
    const fits = arp.ok && arp.value.operation === "reply" && arp.value.sender === target;
    return fits ? macText(arp.value.senderMac) : undefined;
  }
  const advertisement = decodeNeighborAdvertisement(frame);
  if (!advertisement.ok || advertisement.value.target !== target) return undefined;
  return macText(advertisement.value.targetMac ?? advertisement.value.sourceMac);
}

const macText = (mac: Uint8Array): string =>
  Array.from(mac, (octet) => octet.toString(16).padStart(2, "0")).join(":");

/** Filtered before it is bound, and with that it hears nothing yet. Throws a KernelError. */
export function openFrameSocket(family: Family): number {
  const fd = libc().socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK_CLOEXEC, 0);
  if (fd < 0) throw refused(lastErrno());
  try {
    attachFilter(fd, neighbourFilter(family));
    return fd;
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

/** struct sockaddr_ll: family, EtherType in network order, index. */
export function linkAddress(family: Family, interfaceIndex: number): Uint8Array {
  const place = new Uint8Array(20);
  const view = new DataView(place.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, family === "ipv4" ? ETHERTYPE_ARP : ETHERTYPE_IPV6);
  view.setInt32(4, interfaceIndex, true);
  return place;
}

function refused(errno: string): KernelError {
  return new KernelError(
    "packet-socket-refused",
    `no packet socket to ask neighbours (${errno})`,
    "run Holdfast as root, or give it CAP_NET_RAW (AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN in the unit)",
  );
}
