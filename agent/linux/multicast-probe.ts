import { setTimeout as delay } from "node:timers/promises";
import type { Family, IpAddress } from "../core/address.ts";
import { addressBytes, parseAddress } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import { KernelError } from "../ports/error.ts";
import type { MulticastProbe } from "../ports/host-facts.ts";
import type { Link } from "../ports/network.ts";
import { IPV4_HEADER_LENGTH, writeIpv4Header } from "../wire/ipv4.ts";
import { IPV6_HEADER_LENGTH, writeIpv6Header } from "../wire/ipv6.ts";
import { VRRP_PROTOCOL } from "../wire/vrrp.ts";
import { lastErrno, libc } from "./libc.ts";
import { receiveMessage } from "./message.ts";
import { openSendSocket } from "./send-socket.ts";
import { ipSocketAddress } from "./socket-address.ts";
import * as option from "./socket-option.ts";

const GROUPS = { ipv4: "224.0.0.18", ipv6: "ff02::12" } as const;
/** No router's message: type 15 is not defined, so that nobody takes it for an advertisement. */
const PAYLOAD = Uint8Array.of(0x3f, 0x48, 0x46, 0, 0, 0, 0, 0);
const TRIES = 20;
const TRY_MS = 10;

/**
 * Sends a packet of protocol 112 to the VRRP group with a TTL of 0: the kernel loops it back through
 * the input hooks of the packet filter, and never lets it leave the host.
 */
export async function probeMulticast(
  { name, index }: Link,
  family: Family,
  source: IpAddress | undefined,
): Promise<MulticastProbe> {
  const notSent = (reason: string): MulticastProbe => ({
    interface: name,
    family,
    outcome: "not-sent",
    reason,
  });
  if (source === undefined) return notSent(`${name} has no ${family} address`);
  const open: number[] = [];
  try {
    const receiver = openReceiver(index, family);
    open.push(receiver);
    const errno = send(index, family, source, open);
    if (errno !== undefined) return notSent(errno);
    const outcome = (await arrives(receiver, family, source)) ? "received" : "lost";
    return { interface: name, family, outcome, reason: undefined };
  } catch (error) {
    if (error instanceof KernelError) return notSent(error.message);
    throw error;
  } finally {
    for (const fd of open) libc().close(fd);
  }
}

function openReceiver(index: number, family: Family): number {
  const v4 = family === "ipv4";
  const type = option.SOCK_RAW | option.SOCK_NONBLOCK_CLOEXEC;
  const fd = libc().socket(v4 ? option.AF_INET : option.AF_INET6, type, VRRP_PROTOCOL);
  if (fd < 0) {
    const errno = lastErrno();
    throw new KernelError("raw-socket-refused", `no raw socket (${errno})`, "run this as root");
  }
  try {
    const request = new Uint8Array(v4 ? 12 : 20);
    request.set(group(family));
    new DataView(request.buffer).setInt32(request.length - 4, index, true);
    option.setOption(fd, option.SO_BINDTOIFINDEX, index);
    option.setOption(fd, v4 ? option.IP_ADD_MEMBERSHIP : option.IPV6_ADD_MEMBERSHIP, request);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  return fd;
}

/** Answers the errno name when the packet was refused. */
function send(
  index: number,
  family: Family,
  source: IpAddress,
  open: number[],
): string | undefined {
  const v4 = family === "ipv4";
  const fd = openSendSocket({
    family,
    protocol: VRRP_PROTOCOL,
    interfaceIndex: index,
    group: groupAddress(family),
    ttl: 255,
  });
  open.push(fd);
  option.setOption(fd, v4 ? option.IP_MULTICAST_LOOP : option.IPV6_MULTICAST_LOOP, 1);
  const head = v4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const packet = new Uint8Array(head + PAYLOAD.length);
  packet.set(PAYLOAD, head);
  const addresses = { source: addressBytes(source), destination: group(family) };
  if (v4) {
    writeIpv4Header(packet, {
      ...addresses,
      protocol: VRRP_PROTOCOL,
      ttl: 0,
      identification: 0x4846,
    });
  } else writeIpv6Header(packet, { ...addresses, nextHeader: VRRP_PROTOCOL, hopLimit: 0 });
  const to = ipSocketAddress(groupAddress(family), index);
  const sent = libc().sendto(fd, packet, packet.length, 0, to, to.length);
  return sent === packet.length ? undefined : lastErrno();
}

async function arrives(fd: number, family: Family, source: IpAddress): Promise<boolean> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    for (;;) {
      const message = receiveMessage(fd, family);
      if (message === undefined) break;
      if (typeof message !== "string" && message.source === source && isProbe(message.bytes)) {
        return true;
      }
    }
    await delay(TRY_MS);
  }
  return false;
}

const isProbe = (bytes: Uint8Array): boolean =>
  PAYLOAD.every((octet, index) => bytes[bytes.length - PAYLOAD.length + index] === octet);

function groupAddress(family: Family): IpAddress {
  const address = parseAddress(GROUPS[family]);
  assert(address !== undefined, "the groups are addresses");
  return address;
}

const group = (family: Family): Uint8Array => addressBytes(groupAddress(family));
