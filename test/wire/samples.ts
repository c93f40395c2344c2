import { createHmac } from "node:crypto";
import type { Family, IpAddress } from "../../agent/core/address.ts";
import { parseAddress } from "../../agent/core/address.ts";
import { seconds } from "../../agent/core/time.ts";
import type { AuthenticationSettings, SequenceState } from "../../agent/wire/authentication.ts";
import { credentialsOf, NO_SEQUENCES } from "../../agent/wire/authentication.ts";
import { checksumOf, pseudoHeaderSum, sumOf } from "../../agent/wire/checksum.ts";
import type { Hmac } from "../../agent/wire/hmac.ts";
import type { Acceptance, IncomingPacket } from "../../agent/wire/incoming-packet.ts";
import { decodePacket, ON_LINK } from "../../agent/wire/incoming-packet.ts";
import type { PacketSettings } from "../../agent/wire/outgoing-packet.ts";
import { encodePacket, packetTemplate } from "../../agent/wire/outgoing-packet.ts";

export const nodeHmac: Hmac = (algorithm, key, data) =>
  createHmac(algorithm, key).update(data).digest();

export const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const octets = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

export function ip(text: string): IpAddress {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address;
}

export const NONE: AuthenticationSettings = { kind: "none" };
export const PASS: AuthenticationSettings = { kind: "pass", password: "secret" };
export const AH: AuthenticationSettings = { kind: "ah", password: "s3cr3t" };
export const HMAC = {
  kind: "hmac",
  keys: [
    { id: 1, secret: `${"00".repeat(31)}01` },
    { id: 7, secret: "ab".repeat(64) },
  ],
  activeKey: 7,
  timeWindow: seconds(5),
  antiReplay: "time",
  mode: "enforce",
} as const satisfies AuthenticationSettings;

/** 2026-01-02T03:04:05.250Z. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 250);

/** A valid packet's settings, in either family. */
export function settingsOf(
  family: Family,
  version: 2 | 3,
  changes: Partial<PacketSettings> = {},
): PacketSettings {
  const ipv4 = family === "ipv4";
  return {
    family,
    version,
    vrid: 10,
    maxAdvertiseInterval: seconds(1),
    addresses: ipv4 ? [ip("192.0.2.1"), ip("192.0.2.2")] : [ip("fe80::1"), ip("2001:db8::1")],
    source: ip(ipv4 ? "192.0.2.251" : "fe80::c8"),
    destination: ip(ipv4 ? "224.0.0.18" : "ff02::12"),
    unicast: false,
    ttl: 255,
    checksum: "message",
    credentials: { kind: "none" },
    ...changes,
  };
}

export const acceptanceOf = (settings: PacketSettings): Acceptance => ({
  version: settings.version,
  vrid: settings.vrid,
  unicast: settings.unicast,
  ttl: settings.unicast ? undefined : ON_LINK,
  credentials: settings.credentials,
});

export const encode = (
  settings: PacketSettings,
  priority = 200,
  sequences: SequenceState = NO_SEQUENCES,
  wallClock = NOW,
) => encodePacket(packetTemplate(settings), priority, sequences, wallClock, nodeHmac);

/** What a raw socket would hand over of a complete packet that was just sent. */
export function received(packet: Uint8Array, settings: PacketSettings): IncomingPacket {
  if (settings.family === "ipv4") {
    return { source: settings.source, destination: undefined, ttl: undefined, bytes: packet };
  }
  return {
    source: settings.source,
    destination: settings.destination,
    ttl: packet[7],
    bytes: packet.subarray(40),
  };
}

export const decode = (
  packet: IncomingPacket,
  acceptance: Acceptance | undefined,
  sequences: SequenceState = NO_SEQUENCES,
  wallClock = NOW,
) => decodePacket(packet, acceptance, sequences, wallClock, nodeHmac);

/** The reason why a packet is dropped, or "accepted". */
export function verdict(
  packet: Uint8Array,
  settings: PacketSettings,
  changes: Partial<Acceptance> = {},
  sequences: SequenceState = NO_SEQUENCES,
  wallClock = NOW,
): string {
  const acceptance = { ...acceptanceOf(settings), ...changes };
  const decoded = decode(received(packet, settings), acceptance, sequences, wallClock);
  return decoded.ok ? "accepted" : decoded.reason;
}

/** Where the VRRP message starts in a complete packet. */
export const messageAt = (settings: PacketSettings): number =>
  (settings.family === "ipv4" ? 20 : 40) + (settings.credentials.kind === "ah" ? 24 : 0);

/** The packet with octets of its VRRP message replaced, and the checksum made right again. */
export function altered(
  packet: Uint8Array,
  settings: PacketSettings,
  changes: Readonly<Record<number, number>>,
): Uint8Array {
  const copy = packet.slice();
  const message = copy.subarray(messageAt(settings));
  for (const [at, octet] of Object.entries(changes)) message[Number(at)] = octet;
  message.set([0, 0], 6);
  const cover =
    settings.family === "ipv6"
      ? pseudoHeaderSum(copy.subarray(8, 24), copy.subarray(24, 40), 112, message.length)
      : 0;
  const checksum = checksumOf(sumOf(message, cover));
  message.set([checksum >> 8, checksum & 0xff], 6);
  return copy;
}

/** The packet cut or lengthened to `length` octets after its IP header, which tells the new length. */
export function resized(packet: Uint8Array, family: Family, length: number): Uint8Array {
  const header = family === "ipv4" ? 20 : 40;
  const copy = new Uint8Array(header + length);
  copy.set(packet.subarray(0, copy.length));
  const told = family === "ipv4" ? copy.length : length;
  copy.set([told >> 8, told & 0xff], family === "ipv4" ? 2 : 4);
  return copy;
}

export const FAMILIES = ["ipv4", "ipv6"] as const;
export const VERSIONS = [2, 3] as const;
export { credentialsOf, NO_SEQUENCES };
