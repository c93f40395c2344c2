import type { Micros } from "../core/time.ts";

export type Authentication =
  | { readonly kind: "none" }
  /** v2, type 1; 8 bytes at most are used. */
  | { readonly kind: "pass"; readonly password: string }
  /** v2, type 2: IP authentication header, HMAC-MD5-96. */
  | { readonly kind: "ah"; readonly password: string }
  | HmacAuthentication;

/** auth_hmac of keepalived 2.4: draft-cassen-vrrp-auth-hmac-00. */
export interface HmacAuthentication {
  readonly kind: "hmac";
  /** Key bytes in hexadecimal, by key id 1–255. */
  readonly keys: readonly { readonly id: number; readonly secret: string }[];
  readonly activeKey: number;
  readonly timeWindow: Micros;
  readonly antiReplay: "time" | "monotonic";
  readonly mode: "enforce" | "permissive" | "receive-only";
}
