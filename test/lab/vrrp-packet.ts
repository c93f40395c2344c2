import { addressBytes, parseAddress } from "../../agent/core/address.ts";

/** An advertisement to send, as wrong as a test wants it. */
export interface PacketText {
  readonly source: string;
  readonly version?: number;
  readonly type?: number;
  readonly vrid?: number;
  readonly priority?: number;
  readonly addresses?: readonly string[];
  /** What the packet claims; the number of addresses by default. */
  readonly count?: number;
  /** Centiseconds. */
  readonly interval?: number;
  readonly ttl?: number;
  /** Added to the checksum. */
  readonly checksumError?: number;
  /** Octets behind the last address. */
  readonly tail?: number;
  /** Cuts the message to this many octets. */
  readonly cut?: number;
  /** Instead of all of the above but source and TTL. */
  readonly message?: Uint8Array;
}

const GROUP = [224, 0, 0, 18];
const GROUP_MAC = [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12];
const ETHERNET = 14;
const IPV4 = 20;

/** A whole Ethernet frame; VRRP 3 over IPv4, checksum with the pseudo-header. Apart from the codecs. */
export function vrrpFrame(mac: Uint8Array, packet: PacketText): Uint8Array {
  const source = octets(packet.source);
  const message = packet.message ?? vrrpMessage(packet, source);
  const frame = new Uint8Array(ETHERNET + IPV4 + message.length);
  frame.set([...GROUP_MAC, ...mac, 0x08, 0x00]);
  const header = frame.subarray(ETHERNET, ETHERNET + IPV4);
  const size = IPV4 + message.length;
  header.set([0x45, 0xc0, size >> 8, size & 0xff, 0, 1, 0, 0, packet.ttl ?? 255, 112, 0, 0]);
  header.set(source, 12);
  header.set(GROUP, 16);
  writeSum(header, 10, sum(header));
  frame.set(message, ETHERNET + IPV4);
  return frame;
}

function vrrpMessage(packet: PacketText, source: Uint8Array): Uint8Array {
  const { version = 3, type = 1, vrid = 51, priority = 100, interval = 10, tail = 0 } = packet;
  const addresses = (packet.addresses ?? ["192.0.2.100"]).map(octets);
  const bytes = new Uint8Array(8 + addresses.length * 4 + tail);
  const count = packet.count ?? addresses.length;
  bytes.set([(version << 4) | type, vrid, priority, count, interval >> 8, interval & 0xff]);
  for (const [at, address] of addresses.entries()) bytes.set(address, 8 + at * 4);
  const pseudo = Uint8Array.of(...source, ...GROUP, 0, 112, bytes.length >> 8, bytes.length & 0xff);
  writeSum(bytes, 6, sum(pseudo) + sum(bytes));
  bytes[7] = ((bytes[7] ?? 0) + (packet.checksumError ?? 0)) & 0xff;
  return bytes.subarray(0, packet.cut ?? bytes.length);
}

const octets = (text: string): Uint8Array => addressBytes(parseAddress(text) ?? raise(text));

function raise(text: string): never {
  throw new TypeError(`${text} is no address`);
}

function sum(bytes: Uint8Array): number {
  let total = 0;
  for (const [at, octet] of bytes.entries()) total += at % 2 === 0 ? octet << 8 : octet;
  return total;
}

function writeSum(bytes: Uint8Array, at: number, total: number): void {
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + (folded >>> 16);
  bytes[at] = (~folded >> 8) & 0xff;
  bytes[at + 1] = ~folded & 0xff;
}
