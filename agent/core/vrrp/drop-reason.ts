/**
 * Why a received packet was dropped, in the order of the receive ladder (RFC 9568 §7.1). Closed: the
 * token is the counter's name.
 */
export type DropReason =
  | "truncated"
  | "ip-header"
  | "ttl"
  | "version"
  | "type"
  | "length"
  | "checksum"
  | "unknown-vrid"
  | "no-addresses"
  | "interval-zero"
  | "auth-type"
  | "auth-data"
  /** The sender's clock and ours are further apart than the window: drift, rather than an attack. */
  | "auth-stale"
  | "auth-replay"
  | "interval-mismatch"
  | "destination"
  | "source-not-a-peer"
  | "own-packet"
  | "first-address-not-link-local"
  | "address-list"
  | "owner-ignores";

/** A decoder's answer: a value, or the one reason why there is none. It never throws. */
export type Decoded<Value, Reason extends string = DropReason> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: Reason };
