import koffi from "koffi";
import type { Family, IpAddress } from "../core/address.ts";
import { addressFromBytes } from "../core/address.ts";
import { lastErrno, libc } from "./libc.ts";
import { MSG_DONTWAIT } from "./socket-option.ts";

/** One UDP datagram with what the kernel says beside it. The bytes are the receiver's own copy. */
export interface UdpMessage {
  readonly source: IpAddress;
  readonly destination: IpAddress | undefined;
  readonly ttl: number | undefined;
  readonly interfaceIndex: number | undefined;
  readonly bytes: Uint8Array;
}

// As in message.ts: struct msghdr, its iovec, the sender's sockaddr, ancillary data, the payload.
const HEADER = 0;
const VECTOR = 64;
const NAME = 96;
const NAME_LENGTH = 28;
const CONTROL = 128;
const CONTROL_LENGTH = 128;
const DATA = 256;
/** The longest control packet says its length in one octet. More would be cut, and is no fault. */
const DATA_LENGTH = 256;

const IPPROTO_IP = 0;
const IP_TTL = 2;
const IP_PKTINFO = 8;
const IPPROTO_IPV6 = 41;
const IPV6_PKTINFO = 50;
const IPV6_HOPLIMIT = 52;

const slab = new ArrayBuffer(DATA + DATA_LENGTH);
const bytes = new Uint8Array(slab);
const view = new DataView(slab);
const header = new Uint8Array(slab, HEADER, 56);
let prepared = false;

/** Reads one datagram that waits; `undefined`: none is left. */
export function receiveUdp(fd: number, family: Family): UdpMessage | undefined {
  prepare();
  // An error that came back by ICMP hides what waits behind it, once.
  const length = receive(fd) ?? receive(fd);
  if (length === undefined || length < 0) return undefined;
  const source = family === "ipv4" ? address(NAME + 4, 4) : address(NAME + 8, 16);
  return { source, ...ancillary(), bytes: bytes.slice(DATA, DATA + length) };
}

/** -1: nothing waits; `undefined`: an error did, and is gone. */
function receive(fd: number): number | undefined {
  view.setUint32(HEADER + 8, NAME_LENGTH, true);
  view.setUint32(HEADER + 40, CONTROL_LENGTH, true);
  const length = libc().recvmsg(fd, header, MSG_DONTWAIT);
  return length >= 0 || lastErrno() === "EAGAIN" ? length : undefined;
}

function prepare(): void {
  if (prepared) return;
  prepared = true;
  const base = koffi.address(bytes);
  view.setBigUint64(HEADER, base + BigInt(NAME), true);
  view.setBigUint64(HEADER + 16, base + BigInt(VECTOR), true);
  view.setBigUint64(HEADER + 24, 1n, true);
  view.setBigUint64(HEADER + 32, base + BigInt(CONTROL), true);
  view.setBigUint64(VECTOR, base + BigInt(DATA), true);
  view.setBigUint64(VECTOR + 8, BigInt(DATA_LENGTH), true);
}

const address = (offset: number, length: number): IpAddress =>
  addressFromBytes(bytes.subarray(offset, offset + length));

type Ancillary = Pick<UdpMessage, "destination" | "ttl" | "interfaceIndex">;

/** struct cmsghdr, one after the other: ip(7), and RFC 3542 §6. */
function ancillary(): Ancillary {
  let found: Ancillary = { destination: undefined, ttl: undefined, interfaceIndex: undefined };
  const end = CONTROL + view.getUint32(HEADER + 40, true);
  for (let at = CONTROL; at + 16 <= end; ) {
    const length = view.getUint32(at, true);
    if (length < 16) break;
    found = { ...found, ...meaning(view.getInt32(at + 8, true), view.getInt32(at + 12, true), at) };
    at += (length + 7) & ~7;
  }
  return found;
}

function meaning(level: number, type: number, at: number): Partial<Ancillary> {
  const first = view.getInt32(at + 16, true);
  if (level === IPPROTO_IP && type === IP_TTL) return { ttl: first };
  if (level === IPPROTO_IPV6 && type === IPV6_HOPLIMIT) return { ttl: first };
  if (level === IPPROTO_IP && type === IP_PKTINFO) {
    return { interfaceIndex: first, destination: address(at + 24, 4) };
  }
  if (level === IPPROTO_IPV6 && type === IPV6_PKTINFO) {
    return { destination: address(at + 16, 16), interfaceIndex: view.getInt32(at + 32, true) };
  }
  return {};
}
