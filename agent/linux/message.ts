import type { IpAddress } from "../core/address.ts";
import { lastErrno } from "./libc.ts";
import { IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_PKTINFO, MessageSlab } from "./message-slab.ts";

/** What one recvmsg gave: the bytes are the receiver's own copy. */
export interface Message {
  readonly source: IpAddress;
  readonly destination: IpAddress | undefined;
  readonly ttl: number | undefined;
  readonly bytes: Uint8Array;
}

/** The longest advertisement is 255 IPv6 addresses with an HMAC: 4,116 bytes. Longer ones are cut. */
const slab = new MessageSlab({ control: 256, data: 8_192 });

/**
 * Reads one packet that the kernel has queued. `undefined`: none is left. An errno name: the socket
 * reports an error, which is thereby taken from it.
 */
export function receiveMessage(fd: number, family: "ipv4" | "ipv6"): Message | string | undefined {
  const length = slab.receive(fd);
  if (length < 0) {
    const errno = lastErrno();
    return errno === "EAGAIN" ? undefined : errno;
  }
  const packet = slab.copy(length);
  if (family === "ipv6") return { source: slab.sender(family), ...ancillary(), bytes: packet };
  return {
    source: slab.addressInData(12, 4),
    destination: length >= 20 ? slab.addressInData(16, 4) : undefined,
    ttl: packet[8],
    bytes: packet,
  };
}

/** Destination and hop limit of an IPv6 packet, which come beside it (RFC 3542 §6). */
function ancillary(): Pick<Message, "destination" | "ttl"> {
  let destination: IpAddress | undefined;
  let ttl: number | undefined;
  slab.eachControl((level, type, at) => {
    if (level !== IPPROTO_IPV6) return;
    if (type === IPV6_PKTINFO) destination = slab.address(at, 16);
    if (type === IPV6_HOPLIMIT) ttl = slab.view.getInt32(at, true);
  });
  return { destination, ttl };
}
