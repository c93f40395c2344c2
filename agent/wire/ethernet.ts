import { writeUint16 } from "./octets.ts";
import { MAC_LENGTH } from "./virtual-mac.ts";

export const ETHERNET_HEADER_LENGTH = 14;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

/** Writes the first 14 octets of a frame. Padding and check sequence are the driver's. */
export function writeEthernetHeader(
  frame: Uint8Array,
  destination: Uint8Array,
  source: Uint8Array,
  etherType: number,
): void {
  frame.set(destination, 0);
  frame.set(source, MAC_LENGTH);
  writeUint16(frame, 2 * MAC_LENGTH, etherType);
}
