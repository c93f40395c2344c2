import type { IpAddress } from "../core/address.ts";

/** An echo request that was sent, or was not. */
export interface SentPing {
  /** Name of the errno when it could not be sent. */
  readonly errno: string | undefined;
  /** Its reply is not waited for any more. */
  forget(): void;
}

/** Where echo requests come from. */
export interface PingSource {
  readonly sourceAddress: IpAddress | undefined;
  readonly interface: string | undefined;
  /** SO_MARK; 0: none. */
  readonly fwmark: number;
}

/** Echo requests, RFC 792 and RFC 4443 §4.1, on sockets that all who ping share. */
export interface Pings {
  /** `answered` is told of the reply, once. Throws a KernelError when no socket can be had. */
  send(target: IpAddress, answered: () => void): SentPing;
  close(): void;
}

export interface NeighbourTarget {
  readonly address: IpAddress;
  /** Where it is looked for; `undefined`: where the route leads. Link-local addresses need it. */
  readonly interfaceName: string | undefined;
}

export type NeighbourOutcome =
  | { readonly kind: "answered"; readonly mac: string }
  /** No answer before the signal. */
  | { readonly kind: "silent" }
  /** The way there leads over a router, or ends on this host: it is no neighbour. */
  | { readonly kind: "not-a-neighbour" }
  /** ENETUNREACH, ENODEV, ENETDOWN, …. */
  | { readonly kind: "refused"; readonly errno: string };

/** Asks neighbours for their hardware address, past the kernel's own table: ARP, or RFC 4861 §7.2. */
export interface NeighbourProbes {
  /** Asks again and again until `signal` aborts. Rejects with a KernelError without a packet socket. */
  probe(target: NeighbourTarget, signal: AbortSignal): Promise<NeighbourOutcome>;
  close(): void;
}
