import type { Family, IpAddress } from "../core/address.ts";
import { lastErrno } from "./libc.ts";
import { IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_PKTINFO, MessageSlab } from "./message-slab.ts";

/** One UDP datagram with what the kernel says beside it. The bytes are the receiver's own copy. */
export interface UdpMessage {
  readonly source: IpAddress;
  readonly destination: IpAddress | undefined;
  readonly ttl: number | undefined;
  readonly interfaceIndex: number | undefined;
  readonly bytes: Uint8Array;
}

/** The longest control packet says its length in one octet. More would be cut, and is no fault. */
const slab = new MessageSlab({ control: 128, data: 256 });

const IPPROTO_IP = 0;
const IP_TTL = 2;
const IP_PKTINFO = 8;

/** Reads one datagram that waits; `undefined`: none is left. */
export function receiveUdp(fd: number, family: Family): UdpMessage | undefined {
  // An error that came back by ICMP hides what waits behind it, once.
  const length = receive(fd) ?? receive(fd);
  if (length === undefined || length < 0) return undefined;
  return { source: slab.sender(family), ...ancillary(), bytes: slab.copy(length) };
}

/** -1: nothing waits; `undefined`: an error did, and is gone. */
function receive(fd: number): number | undefined {
  const length = slab.receive(fd);
  return length >= 0 || lastErrno() === "EAGAIN" ? length : undefined;
}

type Ancillary = Pick<UdpMessage, "destination" | "ttl" | "interfaceIndex">;

/** What comes beside a datagram: ip(7), and RFC 3542 §6. */
function ancillary(): Ancillary {
  let found: Ancillary = { destination: undefined, ttl: undefined, interfaceIndex: undefined };
  slab.eachControl((level, type, at) => {
    found = { ...found, ...meaning(level, type, at) };
  });
  return found;
}

function meaning(level: number, type: number, at: number): Partial<Ancillary> {
  const first = slab.view.getInt32(at, true);
  if (level === IPPROTO_IP && type === IP_TTL) return { ttl: first };
  if (level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT) return { ttl: first };
  if (level === IPPROTO_IP && type === IP_PKTINFO) {
    return { interfaceIndex: first, destination: slab.address(at + 8, 4) };
  }
  if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
    return { destination: slab.address(at, 16), interfaceIndex: slab.view.getInt32(at + 16, true) };
  }
  return {};
}
