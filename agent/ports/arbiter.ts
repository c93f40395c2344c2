import type { Micros } from "../core/time.ts";

/** A right that one holder has at a time. */
export interface LeaseKey {
  /** Which right: one for each group of addresses. Letters, digits, `-`, `_`, `.`, `/`. */
  readonly name: string;
  /** Who asks, as others are shown it. */
  readonly holder: string;
  /** How long the store keeps it without a renewal. */
  readonly ttl: Micros;
}

/**
 * How a request to the store ended.
 * `held`: ours from the moment before the request was sent, for `ttl`; `epoch` only ever grows from one
 * holding to the next, also over restarts of the store.
 * `taken`: somebody else has it. `lost`: what was to be renewed is ours no more.
 * `unreachable`: nobody answered, or no quorum; nothing is known. `refused`: the store answers, and says
 * that it will never do it: credentials, permissions, TLS, a version.
 */
export type LeaseAnswer =
  | { readonly kind: "held"; readonly epoch: string }
  | { readonly kind: "taken"; readonly holder: string | undefined }
  | { readonly kind: "lost" }
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string; readonly remedy: string };

/**
 * A store that gives a lease to one holder at a time: ZooKeeper, etcd, Consul, Kubernetes, Redis. Nothing
 * here rejects, and nothing takes longer than its signal allows.
 */
export interface Arbiter {
  /** Takes it where nobody has it. */
  acquire(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer>;
  /** Keeps what was acquired through this arbiter. Never acquires. */
  renew(key: LeaseKey, signal: AbortSignal): Promise<LeaseAnswer>;
  /** Gives it back, so that the next one need not wait. */
  release(key: LeaseKey, signal: AbortSignal): Promise<void>;
  /** Calls when the holder may have changed, where the store can tell; a hint only. */
  watch(name: string, changed: () => void): () => void;
  close(): Promise<void>;
}
