import type { IpAddress } from "../core/address.ts";
import type { IpvsCommand } from "../core/ipvs/reconcile.ts";
import type {
  DestinationKey,
  ServiceKey,
  ServiceTable,
  ServiceTarget,
} from "../core/ipvs/service.ts";
import type { KernelError } from "./error.ts";

/** Counters of a service or a destination since it was added, or zeroed by somebody. */
export interface TrafficCounters {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}

export interface DestinationCounters extends TrafficCounters {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly persistentConnections: number;
}

export interface ServiceCounters {
  readonly service: TrafficCounters;
  readonly destinations: ReadonlyMap<DestinationKey, DestinationCounters>;
}

/** The kernel's table at one moment. */
export interface IpvsPicture {
  readonly table: ServiceTable;
  readonly counters: ReadonlyMap<ServiceKey, ServiceCounters>;
}

/** Of connections, in seconds. */
export interface IpvsTimeouts {
  readonly tcp: number;
  /** After the first FIN. */
  readonly tcpFin: number;
  readonly udp: number;
}

/** One half of connection synchronisation. `undefined` asks for the kernel's own choice. */
export interface SyncDaemon {
  readonly role: "active" | "backup";
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

/** ip_vs of one network namespace. Nothing here rejects: what the kernel refused is in the answer. */
export interface Ipvs {
  /**
   * Of these services as far as they exist, or of all. Does not hold up `apply`: a picture taken
   * while commands are carried out may show some of them done and others not.
   */
  read(targets?: readonly ServiceTarget[]): Promise<IpvsPicture | KernelError>;
  /**
   * Carries commands out in order, many in one system call. Answers by index what was refused; the
   * others were done.
   */
  apply(commands: readonly IpvsCommand[]): Promise<ReadonlyMap<number, KernelError>>;
  timeouts(): Promise<IpvsTimeouts | KernelError>;
  /** A 0 leaves that one as it is. */
  setTimeouts(timeouts: IpvsTimeouts): Promise<KernelError | undefined>;
  /** With what the kernel chose in the place of every `undefined`. */
  syncDaemons(): Promise<readonly SyncDaemon[] | KernelError>;
  startSync(daemon: SyncDaemon): Promise<KernelError | undefined>;
  stopSync(role: SyncDaemon["role"]): Promise<KernelError | undefined>;
  /** What is asked later is answered with an error. Changes nothing in the kernel. */
  close(): void;
}

/** Opens ip_vs of the namespace that the main thread is in; makes the kernel load it if it can. */
export type OpenIpvs = () => Promise<Ipvs | KernelError>;
