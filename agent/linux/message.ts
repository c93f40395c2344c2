import koffi from "koffi";
import type { IpAddress } from "../core/address.ts";
import { addressFromBytes } from "../core/address.ts";
import { lastErrno, libc } from "./libc.ts";
import { MSG_DONTWAIT } from "./socket-option.ts";

/** What one recvmsg gave: the bytes are the receiver's own copy. */
export interface Message {
  readonly source: IpAddress;
  readonly destination: IpAddress | undefined;
  readonly ttl: number | undefined;
  readonly bytes: Uint8Array;
}

// One slab holds what the kernel is handed by address: struct msghdr, its iovec, the sender's
// sockaddr, ancillary data, and the packet. Offsets are those of 64-bit little-endian machines.
const HEADER = 0;
const VECTOR = 64;
const NAME = 96;
const NAME_LENGTH = 28;
const CONTROL = 128;
const CONTROL_LENGTH = 256;
const DATA = 512;
/** The longest advertisement is 255 IPv6 addresses with an HMAC: 4,116 bytes. Longer ones are cut. */
const DATA_LENGTH = 8_192;

const IPPROTO_IPV6 = 41;
const IPV6_PKTINFO = 50;
const IPV6_HOPLIMIT = 52;

const slab = new ArrayBuffer(DATA + DATA_LENGTH);
const bytes = new Uint8Array(slab);
const view = new DataView(slab);
const header = new Uint8Array(slab, HEADER, 56);
let prepared = false;

/**
 * Reads one packet that the kernel has queued. `undefined`: none is left. An errno name: the socket
 * reports an error, which is thereby taken from it.
 */
export function receiveMessage(fd: number, family: "ipv4" | "ipv6"): Message | string | undefined {
  prepare();
  view.setUint32(HEADER + 8, NAME_LENGTH, true);
  view.setUint32(HEADER + 40, CONTROL_LENGTH, true);
  const length = libc().recvmsg(fd, header, MSG_DONTWAIT);
  if (length < 0) {
    const errno = lastErrno();
    return errno === "EAGAIN" ? undefined : errno;
  }
  const packet = bytes.slice(DATA, DATA + length);
  if (family === "ipv6") return { source: address(NAME + 8, 16), ...ancillary(), bytes: packet };
  return {
    source: address(DATA + 12, 4),
    destination: length >= 20 ? address(DATA + 16, 4) : undefined,
    ttl: packet[8],
    bytes: packet,
  };
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

function address(offset: number, length: number): IpAddress {
  return addressFromBytes(bytes.subarray(offset, offset + length));
}

/** Destination and hop limit of an IPv6 packet, which come beside it (RFC 3542 §6). */
function ancillary(): Pick<Message, "destination" | "ttl"> {
  let destination: IpAddress | undefined;
  let ttl: number | undefined;
  const end = CONTROL + view.getUint32(HEADER + 40, true);
  for (let at = CONTROL; at + 16 <= end; ) {
    const length = view.getUint32(at, true);
    if (length < 16) break;
    const type = view.getInt32(at + 8, true) === IPPROTO_IPV6 ? view.getInt32(at + 12, true) : 0;
    if (type === IPV6_PKTINFO) destination = address(at + 16, 16);
    if (type === IPV6_HOPLIMIT) ttl = view.getInt32(at + 16, true);
    at += (length + 7) & ~7;
  }
  return { destination, ttl };
}
