import type { IpAddress } from "../address.ts";

/** Of connections, in seconds. */
export interface IpvsTimeouts {
  readonly tcp: number;
  /** After the first FIN. */
  readonly tcpFin: number;
  readonly udp: number;
}

/** One half of connection synchronisation. `undefined` asks for the kernel's own choice. */
export interface SyncDaemon {
  readonly role: SyncRole;
  readonly interface: string;
  /** 0–255; a backup takes the connections of those who have the same, with 0 of everybody. */
  readonly syncId: number;
  /** Bytes of a datagram. */
  readonly maxLength: number | undefined;
  readonly port: number | undefined;
  readonly ttl: number | undefined;
  /** Multicast. */
  readonly group: IpAddress | undefined;
}

export type SyncRole = "active" | "backup";
