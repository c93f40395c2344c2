import type { Family, IpAddress } from "../core/address.ts";
import { assert } from "../core/assert.ts";
import type { Decoded } from "../core/vrrp/drop-reason.ts";
import type { Hmac } from "./hmac.ts";
import { equalInConstantTime, readUint16, readUint32, writeUint16, writeUint32 } from "./octets.ts";
import { CHECKSUM_AT, HMAC_TRAILER_LENGTH } from "./vrrp.ts";

/** draft-cassen-vrrp-auth-hmac, as keepalived 2.4.2 and later speak it. */
export interface HmacCredentials {
  readonly kind: "hmac";
  /** By key id, 1–255. */
  readonly keys: ReadonlyMap<number, Uint8Array>;
  /** Signs what is sent. */
  readonly activeKey: number;
  /** With `time`, how far the sender's clock may be off, in seconds. */
  readonly timeWindow: number;
  readonly antiReplay: "time" | "monotonic";
  /** Only `enforce` refuses what is not signed; `receive-only` does not sign. */
  readonly mode: "enforce" | "permissive" | "receive-only";
}

/** A place in the order of signed packets: 64 bits in two halves, as numbers hold only 53. */
export interface HmacSequence {
  /** Wall-clock seconds modulo 2^32. */
  readonly seconds: number;
  /** 16 bits of 1/65536 s, then a 16-bit counter for what was signed in that instant. */
  readonly fraction: number;
}

export interface HeardSequence {
  readonly source: IpAddress;
  readonly sequence: HmacSequence;
}

/** What a valid trailer changes and tells. */
export interface VerifiedTrailer {
  readonly heard: readonly HeardSequence[];
  /** Our clock minus the sender's, in seconds. */
  readonly clockSkew: number;
}

const EXTENSION_TYPE_SHA256 = 1;
const TAG_AT = 12;
const TAG_LENGTH = 16;
const PSEUDO_HEADER_LENGTH = 20;

/** More senders than a segment has; the one heard longest ago makes room. */
const REMEMBERED_SENDERS = 16;

/** Who signed the message and where it stands. */
export interface SignedMessage {
  readonly family: Family;
  /** 4 or 16 octets. */
  readonly source: Uint8Array;
  /** VRRP message without the trailer; its checksum field does not count. */
  readonly message: Uint8Array;
}

/**
 * The number after `sent`: the clock, or one more than the last where the clock has not moved on.
 * Under `time`, a clock that was set back by more than the window starts anew, as no receiver would
 * accept the old numbers. `wallClock` is in milliseconds since 1970.
 */
export function nextHmacSequence(
  sent: HmacSequence | undefined,
  wallClock: number,
  credentials: HmacCredentials,
): HmacSequence {
  const seconds = Math.floor(wallClock / 1000);
  const clock: HmacSequence = {
    seconds: seconds % 0x1_0000_0000,
    fraction: Math.floor(((wallClock - seconds * 1000) * 0x1_0000) / 1000) * 0x1_0000,
  };
  if (sent === undefined || isAfter(clock, sent)) return clock;
  const ahead = (sent.seconds - clock.seconds) | 0;
  if (credentials.antiReplay === "time" && ahead > credentials.timeWindow) return clock;
  const fraction = (sent.fraction + 1) % 0x1_0000_0000;
  return { seconds: (sent.seconds + (fraction === 0 ? 1 : 0)) % 0x1_0000_0000, fraction };
}

/** Serial number arithmetic over the 64 bits. RFC 1982 §3.2. */
export function isAfter(a: HmacSequence, b: HmacSequence): boolean {
  const seconds = (a.seconds - b.seconds) | 0;
  return seconds === 0 ? a.fraction > b.fraction : seconds > 0;
}

/** The 28 octets that follow the message. */
export function signedTrailer(
  signed: SignedMessage,
  sequence: HmacSequence,
  credentials: HmacCredentials,
  hmac: Hmac,
): Uint8Array {
  const key = credentials.keys.get(credentials.activeKey);
  assert(key !== undefined, "the active key is one of the keys");
  const trailer = new Uint8Array(HMAC_TRAILER_LENGTH);
  trailer[0] = EXTENSION_TYPE_SHA256;
  trailer[1] = credentials.activeKey;
  writeUint32(trailer, 4, sequence.seconds);
  writeUint32(trailer, 8, sequence.fraction);
  trailer.set(tagOf(signed, trailer, key, hmac), TAG_AT);
  return trailer;
}

/**
 * Verifies a trailer. `auth-type`: not of this extension; `auth-stale`: the clocks are further apart
 * than the window; `auth-data`: an unknown key or a wrong tag; `auth-replay`: heard before. What is
 * cheap comes first, but nothing is remembered before the tag was found right.
 */
export function verifyTrailer(
  signed: SignedMessage,
  trailer: Uint8Array,
  credentials: HmacCredentials,
  memory: {
    readonly from: IpAddress;
    readonly heard: readonly HeardSequence[];
    /** Milliseconds since 1970. */
    readonly wallClock: number;
  },
  hmac: Hmac,
): Decoded<VerifiedTrailer> {
  const { from, heard, wallClock } = memory;
  if (trailer.length !== HMAC_TRAILER_LENGTH) return { ok: false, reason: "auth-type" };
  if (trailer[0] !== EXTENSION_TYPE_SHA256 || readUint16(trailer, 2) !== 0) {
    return { ok: false, reason: "auth-type" };
  }
  const sequence = { seconds: readUint32(trailer, 4), fraction: readUint32(trailer, 8) };
  const now = Math.floor(wallClock / 1000);
  const clockSkew = (now - sequence.seconds) | 0;
  const timed = credentials.antiReplay === "time";
  if (timed && Math.abs(clockSkew) > credentials.timeWindow) {
    return { ok: false, reason: "auth-stale" };
  }
  const key = credentials.keys.get(trailer[1] ?? 0);
  if (key === undefined) return { ok: false, reason: "auth-data" };
  if (!equalInConstantTime(tagOf(signed, trailer, key, hmac), trailer.subarray(TAG_AT))) {
    return { ok: false, reason: "auth-data" };
  }
  const mark = heard.find(({ source }) => source === from)?.sequence;
  // A mark outside of the window orders only what the window refuses anyway: it must not outlive a
  // clock that was corrected.
  const expired = mark !== undefined && Math.abs((now - mark.seconds) | 0) > credentials.timeWindow;
  if (mark !== undefined && !(timed && expired) && !isAfter(sequence, mark)) {
    return { ok: false, reason: "auth-replay" };
  }
  const others = heard.filter(({ source }) => source !== from).slice(1 - REMEMBERED_SENDERS);
  return { ok: true, value: { heard: [...others, { source: from, sequence }], clockSkew } };
}

/** HMAC-SHA256-128 over the pseudo-header, the message and the trailer with its tag zero. */
function tagOf(
  signed: SignedMessage,
  trailer: Uint8Array,
  key: Uint8Array,
  hmac: Hmac,
): Uint8Array {
  const { family, source, message } = signed;
  const input = new Uint8Array(PSEUDO_HEADER_LENGTH + message.length + HMAC_TRAILER_LENGTH);
  input[0] = family === "ipv4" ? 4 : 6;
  input[1] = (message[0] ?? 0) >> 4;
  input[2] = message[1] ?? 0;
  input.set(source, 4);
  input.set(message, PSEUDO_HEADER_LENGTH);
  writeUint16(input, PSEUDO_HEADER_LENGTH + CHECKSUM_AT, 0);
  input.set(trailer.subarray(0, TAG_AT), PSEUDO_HEADER_LENGTH + message.length);
  return hmac("sha256", key, input).subarray(0, TAG_LENGTH);
}
