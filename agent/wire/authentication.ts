import { assert } from "../core/assert.ts";
import type { Micros } from "../core/time.ts";
import { AH_KEY_LENGTH } from "./ah.ts";
import type { HeardSequence, HmacCredentials, HmacSequence } from "./auth-hmac.ts";

/** How a virtual router proves who sent its packets, keys as octets. */
export type Credentials =
  | { readonly kind: "none" }
  /** v2, type 1. 8 octets. */
  | { readonly kind: "pass"; readonly key: Uint8Array }
  /** v2 over IPv4, type 2. 8 octets. */
  | { readonly kind: "ah"; readonly key: Uint8Array }
  | HmacCredentials;

export const NO_CREDENTIALS: Credentials = { kind: "none" };

/** The same, as a configuration has it: passwords as text, keys in hexadecimal. */
export type AuthenticationSettings =
  | { readonly kind: "none" }
  | { readonly kind: "pass"; readonly password: string }
  | { readonly kind: "ah"; readonly password: string }
  | {
      readonly kind: "hmac";
      readonly keys: readonly { readonly id: number; readonly secret: string }[];
      readonly activeKey: number;
      readonly timeWindow: Micros;
      readonly antiReplay: "time" | "monotonic";
      readonly mode: "enforce" | "permissive" | "receive-only";
    };

/**
 * The numbers that one virtual router must not use, or accept, twice. Plain JSON; it belongs into a
 * hand-over to another process, for a peer drops what counts anew from one.
 */
export interface SequenceState {
  /** IPv4 identification of the last packet sent, 0–65535. */
  readonly identification: number;
  /** AH: the highest number sent or accepted. */
  readonly ah: number;
  /** auth_hmac: the last one sent. */
  readonly hmacSent: HmacSequence | undefined;
  /** auth_hmac: the highest one of each sender; who was heard last stands last. */
  readonly hmacHeard: readonly HeardSequence[];
}

export const NO_SEQUENCES: SequenceState = {
  identification: 0,
  ah: 0,
  hmacSent: undefined,
  hmacHeard: [],
};

export function credentialsOf(settings: AuthenticationSettings): Credentials {
  switch (settings.kind) {
    case "none":
      return settings;
    case "pass":
    case "ah":
      return { kind: settings.kind, key: passwordKey(settings.password) };
    case "hmac": {
      const keys = new Map(settings.keys.map(({ id, secret }) => [id, octetsOfHex(secret)]));
      assert(keys.has(settings.activeKey), "the active key is one of the keys");
      return { ...settings, keys, timeWindow: settings.timeWindow / 1_000_000 };
    }
  }
}

/** The authentication type of a v2 message. RFC 3768 §5.3.6, RFC 2338 §5.3.6. */
export function authenticationType(credentials: Credentials): 0 | 1 | 2 {
  if (credentials.kind === "pass") return 1;
  return credentials.kind === "ah" ? 2 : 0;
}

/** The password in UTF-8, cut to 8 octets or filled with zeros, as it travels. */
export function passwordKey(password: string): Uint8Array {
  const octets: number[] = [];
  for (const character of password) octets.push(...utf8(character.codePointAt(0) ?? 0));
  const key = new Uint8Array(AH_KEY_LENGTH);
  key.set(octets.slice(0, AH_KEY_LENGTH));
  return key;
}

function utf8(point: number): readonly number[] {
  const tail = (shift: number) => 0x80 | ((point >> shift) & 0x3f);
  if (point < 0x80) return [point];
  if (point < 0x800) return [0xc0 | (point >> 6), tail(0)];
  if (point < 0x1_0000) return [0xe0 | (point >> 12), tail(6), tail(0)];
  return [0xf0 | (point >> 18), tail(12), tail(6), tail(0)];
}

function octetsOfHex(hex: string): Uint8Array {
  assert(/^(?:[0-9a-f]{2})+$/i.test(hex), "a key is a whole number of hexadecimal octets");
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) =>
    Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16),
  );
}
