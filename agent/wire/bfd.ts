import { assert } from "../core/assert.ts";
import type { ControlPacket, MalformedReason, SessionState } from "../core/bfd/packet.ts";
import { DIAGNOSTICS } from "../core/bfd/packet.ts";
import { micros } from "../core/time.ts";
import type { Decoded } from "../core/vrrp/drop-reason.ts";
import { readUint32, writeUint32 } from "./octets.ts";

/** UDP destination ports. RFC 5881 §4, RFC 5883 §5. */
export const BFD_PORT = 3784;
export const BFD_MULTIHOP_PORT = 4784;

/** Octets of a control packet without authentication. RFC 5880 §4.1. */
export const CONTROL_LENGTH = 24;

/** With the shortest authentication section there may be. RFC 5880 §6.8.6. */
const AUTHENTICATED_LENGTH = 26;

const VERSION = 1;
const STATES: readonly SessionState[] = ["admin-down", "down", "init", "up"];

const POLL = 0x20;
const FINAL = 0x10;
const CONTROL_PLANE_INDEPENDENT = 0x08;
const AUTHENTICATION = 0x04;
const DEMAND = 0x02;
const MULTIPOINT = 0x01;

/** Breaking a range given in ControlPacket is a broken assertion. */
export function encodeControl(packet: ControlPacket): Uint8Array {
  const { diagnostic, multiplier, myDiscriminator } = packet;
  assert(diagnostic !== "reserved", "a diagnostic that is sent has a meaning");
  assert(multiplier >= 1 && multiplier <= 255, "a multiplier is 1–255");
  assert(myDiscriminator > 0, "a discriminator is not 0");
  const bytes = new Uint8Array(CONTROL_LENGTH);
  bytes[0] = (VERSION << 5) | DIAGNOSTICS.indexOf(diagnostic);
  bytes[1] = (STATES.indexOf(packet.state) << 6) | flagsOf(packet);
  bytes[2] = multiplier;
  bytes[3] = CONTROL_LENGTH;
  writeUint32(bytes, 4, myDiscriminator);
  writeUint32(bytes, 8, packet.yourDiscriminator);
  writeUint32(bytes, 12, packet.desiredMinTx);
  writeUint32(bytes, 16, packet.requiredMinRx);
  writeUint32(bytes, 20, packet.requiredMinEchoRx);
  return bytes;
}

const flagsOf = (packet: ControlPacket): number =>
  (packet.poll ? POLL : 0) |
  (packet.final ? FINAL : 0) |
  (packet.controlPlaneIndependent ? CONTROL_PLANE_INDEPENDENT : 0) |
  (packet.demand ? DEMAND : 0);

/**
 * Reads the payload of a UDP datagram, with the checks of RFC 5880 §6.8.6 that need no session.
 * Authentication is refused, as keepalived has none to configure. Never throws.
 */
export function decodeControl(bytes: Uint8Array): Decoded<ControlPacket, MalformedReason> {
  const reason = refuse(bytes);
  if (reason !== undefined) return { ok: false, reason };
  const [first = 0, second = 0, multiplier = 0] = bytes;
  return {
    ok: true,
    value: {
      diagnostic: DIAGNOSTICS[first & 0x1f] ?? "reserved",
      state: STATES[second >> 6] ?? "down",
      poll: (second & POLL) !== 0,
      final: (second & FINAL) !== 0,
      controlPlaneIndependent: (second & CONTROL_PLANE_INDEPENDENT) !== 0,
      demand: (second & DEMAND) !== 0,
      multiplier,
      myDiscriminator: readUint32(bytes, 4),
      yourDiscriminator: readUint32(bytes, 8),
      desiredMinTx: micros(readUint32(bytes, 12)),
      requiredMinRx: micros(readUint32(bytes, 16)),
      requiredMinEchoRx: micros(readUint32(bytes, 20)),
    },
  };
}

function refuse(bytes: Uint8Array): MalformedReason | undefined {
  if (bytes.length < CONTROL_LENGTH) return "truncated";
  const [first = 0, flags = 0, multiplier = 0, length = 0] = bytes;
  if (first >> 5 !== VERSION) return "version";
  const authenticated = (flags & AUTHENTICATION) !== 0;
  const least = authenticated ? AUTHENTICATED_LENGTH : CONTROL_LENGTH;
  if (length < least || length > bytes.length) return "length";
  if (multiplier === 0) return "multiplier-zero";
  if ((flags & MULTIPOINT) !== 0) return "multipoint";
  if (readUint32(bytes, 4) === 0) return "discriminator-zero";
  return authenticated ? "authentication" : undefined;
}
