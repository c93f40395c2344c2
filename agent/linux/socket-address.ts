import type { IpAddress } from "../core/address.ts";
import { addressBytes, familyOf } from "../core/address.ts";
import { AF_INET, AF_INET6, AF_UNIX } from "./socket-option.ts";

/** sockaddr_in or sockaddr_in6; `interfaceIndex` is the scope of a link-local IPv6 address. */
export function ipSocketAddress(address: IpAddress, interfaceIndex: number, port = 0): Uint8Array {
  const bytes = addressBytes(address);
  if (familyOf(address) === "ipv4") {
    const socketAddress = new Uint8Array(16);
    const view = new DataView(socketAddress.buffer);
    view.setUint16(0, AF_INET, true);
    view.setUint16(2, port);
    socketAddress.set(bytes, 4);
    return socketAddress;
  }
  const socketAddress = new Uint8Array(28);
  const view = new DataView(socketAddress.buffer);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  socketAddress.set(bytes, 8);
  view.setUint32(24, interfaceIndex, true);
  return socketAddress;
}

/** sockaddr_un; a leading "@" stands for the abstract name space, as in NOTIFY_SOCKET. */
export function unixSocketAddress(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  const abstract = path.startsWith("@");
  // The kernel counts an abstract name's length; a path ends in a zero.
  const socketAddress = new Uint8Array(2 + name.length + (abstract ? 0 : 1));
  new DataView(socketAddress.buffer).setUint16(0, AF_UNIX, true);
  socketAddress.set(name, 2);
  if (abstract) socketAddress[2] = 0;
  return socketAddress;
}
