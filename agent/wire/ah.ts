import type { Decoded } from "../core/vrrp/drop-reason.ts";
import type { Hmac } from "./hmac.ts";
import type { Ipv4Packet } from "./ipv4.ts";
import {
  equalInConstantTime,
  equalOctets,
  readUint32,
  writeUint16,
  writeUint32,
} from "./octets.ts";
import { VRRP_PROTOCOL } from "./vrrp.ts";

/** IP protocol number of the authentication header. RFC 2402. */
export const AH_PROTOCOL = 51;

/** Octets of an authentication header with a 96-bit value. */
export const AH_LENGTH = 24;

/** Octets of the key: the password, cut or filled with zeros. */
export const AH_KEY_LENGTH = 8;

/** No sender counts further; a sender that gets there needs a new key. RFC 2402 §3.3.2. */
export const LAST_AH_SEQUENCE = 0xffff_ffff;

const VALUE_AT = 12;
const VALUE_LENGTH = AH_LENGTH - VALUE_AT;

/** Length in 32-bit words minus two. RFC 2402 §2.2. */
const PAYLOAD_LENGTH = AH_LENGTH / 4 - 2;

/** An authentication header as it was received, not verified yet. */
export interface AuthenticationHeader {
  readonly securityParameterIndex: Uint8Array;
  readonly sequence: number;
  /** 12 octets. */
  readonly value: Uint8Array;
  /** The VRRP message. A view into the packet. */
  readonly message: Uint8Array;
}

/**
 * Fills in the authentication header at `headerLength` of a complete IPv4 packet: SPI = source
 * address, as keepalived chooses it. In unicast, a router on the way may lower the TTL: it counts as
 * zero then.
 */
export function sealAh(
  packet: Uint8Array,
  headerLength: number,
  sequence: number,
  key: Uint8Array,
  unicast: boolean,
  hmac: Hmac,
): void {
  packet[headerLength] = VRRP_PROTOCOL;
  packet[headerLength + 1] = PAYLOAD_LENGTH;
  writeUint16(packet, headerLength + 2, 0);
  packet.copyWithin(headerLength + 4, 12, 16);
  writeUint32(packet, headerLength + 8, sequence);
  packet.set(integrityValue(packet, headerLength, key, unicast, hmac), headerLength + VALUE_AT);
}

/** `truncated` and `ip-header` (not VRRP, or not HMAC-MD5-96) are all that can be wrong with it yet. */
export function decodeAh(payload: Uint8Array): Decoded<AuthenticationHeader> {
  if (payload.length < AH_LENGTH) return { ok: false, reason: "truncated" };
  if (payload[0] !== VRRP_PROTOCOL || payload[1] !== PAYLOAD_LENGTH) {
    return { ok: false, reason: "ip-header" };
  }
  return {
    ok: true,
    value: {
      securityParameterIndex: payload.subarray(4, 8),
      sequence: readUint32(payload, 8),
      value: payload.subarray(VALUE_AT, AH_LENGTH),
      message: payload.subarray(AH_LENGTH),
    },
  };
}

/**
 * Verifies the header `ah` of `packet`. `highest` is the highest sequence number that this virtual
 * router sent or accepted so far, and the answer is the new one: keepalived counts both in one, so
 * that a new active router continues where the old one stopped.
 */
export function verifyAh(
  packet: Ipv4Packet,
  ah: AuthenticationHeader,
  highest: number,
  key: Uint8Array,
  unicast: boolean,
  hmac: Hmac,
): Decoded<number> {
  const whole = new Uint8Array(packet.header.length + packet.payload.length);
  whole.set(packet.header);
  whole.set(packet.payload, packet.header.length);
  const value = integrityValue(whole, packet.header.length, key, unicast, hmac);
  if (!equalInConstantTime(value, ah.value)) return { ok: false, reason: "auth-data" };
  if (!equalOctets(ah.securityParameterIndex, packet.source)) {
    return { ok: false, reason: "auth-data" };
  }
  if (ah.sequence <= highest) return { ok: false, reason: "auth-replay" };
  return { ok: true, value: ah.sequence };
}

/** HMAC-MD5-96 over the packet with everything zero that may change on its way. RFC 2402 §3.3.3. */
function integrityValue(
  packet: Uint8Array,
  headerLength: number,
  key: Uint8Array,
  unicast: boolean,
  hmac: Hmac,
): Uint8Array {
  const immutable = packet.slice();
  immutable[1] = 0;
  writeUint16(immutable, 6, 0);
  if (unicast) immutable[8] = 0;
  writeUint16(immutable, 10, 0);
  immutable.fill(0, headerLength + VALUE_AT, headerLength + AH_LENGTH);
  return hmac("md5", key, immutable).subarray(0, VALUE_LENGTH);
}
