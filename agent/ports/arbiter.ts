import type { Micros } from "../core/time.ts";
import type { LeaseAnswer } from "../core/witness/lease-answer.ts";
import type { StoreView } from "../core/witness/store-view.ts";

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
  /**
   * Whether the store answers to these credentials, and who has the lease; fails as `acquire` would. Nothing
   * in the store is another one after it, and nobody gets a lease by it. Each store says how much of the right
   * to write it proves; that a lease is free is no promise, and that it is taken may be over by its time alone.
   */
  look(key: LeaseKey, signal: AbortSignal): Promise<StoreView>;
  /** Calls when the holder may have changed, where the store can tell; a hint only. */
  watch(name: string, changed: () => void): () => void;
  close(): Promise<void>;
}
