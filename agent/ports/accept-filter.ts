import type { IpAddress } from "../core/address.ts";
import type { KernelError } from "./error.ts";
import type { FilterEvent } from "./filter-event.ts";

/** An address that this host has, or is about to have, without accepting packets to it. */
export interface RefusedAddress {
  /** Where it is. Counts for link-local addresses, which may mean another host elsewhere. */
  readonly interfaceIndex: number;
  readonly address: IpAddress;
}

/**
 * Drops packets to addresses of this host: Accept_Mode false (RFC 9568 §6.1). Neighbour discovery and
 * ARP go on, and so does forwarding. Nothing here rejects: what the kernel refused is the answer.
 */
export interface AcceptFilter {
  /** Tries whether the kernel could. Changes nothing. */
  probe(): Promise<KernelError | undefined>;
  /** No packet to these addresses is accepted once this has answered `undefined`. Idempotent. */
  refuse(addresses: readonly RefusedAddress[]): Promise<KernelError | undefined>;
  /** Accepts packets again. Addresses that are not refused are nothing new. */
  release(addresses: readonly RefusedAddress[]): Promise<KernelError | undefined>;
  subscribe(listener: (event: FilterEvent) => void): () => void;
  /** Answers whether an earlier run had left anything. To be called before anything is refused. */
  removeLeftovers(): Promise<boolean>;
  /** Accepts all packets again, and lets go of everything. */
  close(): Promise<void>;
}
