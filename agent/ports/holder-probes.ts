import type { IpAddress } from "../core/address.ts";
import type { Micros } from "../core/time.ts";

/** `refused`: the question could not be sent; the errno name. */
export type HolderAnswer =
  | { readonly kind: "answered"; readonly mac: string }
  | { readonly kind: "silent" }
  | { readonly kind: "refused"; readonly errno: string };

/**
 * Asks the segment whether another host has an address that this one is about to use: an ARP probe
 * (RFC 5227 §2.1.1), or a neighbour solicitation without a source (RFC 4861 §4.3).
 */
export interface HolderProbes {
  /** From the interface's own MAC. Answers within `limit`; this host's own answers do not count. */
  ask(interfaceIndex: number, address: IpAddress, limit: Micros): Promise<HolderAnswer>;
  close(): void;
}
