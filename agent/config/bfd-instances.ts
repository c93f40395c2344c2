import type { IpAddress } from "../core/address.ts";
import type { Hops } from "../core/bfd/admission.ts";
import type { Micros } from "../core/time.ts";
import type { Position } from "./position.ts";

/** One bfd_instance. */
export interface BfdInstanceConfig {
  readonly position: Position;
  readonly name: string;
  readonly neighbour: IpAddress;
  /** `undefined`: any address of this host. */
  readonly source: IpAddress | undefined;
  /** Of `neighbor_ip fe80::1%eth0`: the only interface to use. */
  readonly interface: string | undefined;
  readonly hops: Hops;
  readonly minRx: Micros;
  readonly minTx: Micros;
  readonly idleTx: Micros;
  /** 1–255. */
  readonly multiplier: number;
  readonly passive: boolean;
  /** TTL or hop limit on send, 1–255. */
  readonly hopLimit: number;
  /** The least TTL or hop limit on receipt, 0–255. */
  readonly leastTtl: number;
  readonly weight: number;
  readonly reverse: boolean;
}
