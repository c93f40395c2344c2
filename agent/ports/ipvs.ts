import type { IpvsCommand } from "../core/ipvs/reconcile.ts";
import type { DestinationKey, ServiceKey, ServiceTable } from "../core/ipvs/service.ts";
import type { KernelError } from "./error.ts";

/** Counters of a service or a destination since it was added. */
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

/** Seconds; 0: as it is. */
export interface IpvsTimeouts {
  readonly tcp: number;
  readonly tcpFin: number;
  readonly udp: number;
}

/** One half of connection synchronisation. */
export interface SyncDaemon {
  readonly role: "active" | "backup";
  readonly interface: string;
  /** 0–255: who takes whose connections. */
  readonly syncId: number;
  /** `undefined`: the kernel's default. */
  readonly maxLength: number | undefined;
  readonly port: number | undefined;
  readonly ttl: number | undefined;
  readonly group: string | undefined;
}

/** ip_vs of this network namespace. Nothing here rejects: what the kernel refused is in the answer. */
export interface Ipvs {
  read(): Promise<IpvsPicture | KernelError>;
  /**
   * Carries commands out in order, many in one system call. Answers by index what was refused; the
   * others were done.
   */
  apply(commands: readonly IpvsCommand[]): Promise<ReadonlyMap<number, KernelError>>;
  setTimeouts(timeouts: IpvsTimeouts): Promise<KernelError | undefined>;
  syncDaemons(): Promise<readonly SyncDaemon[] | KernelError>;
  startSync(daemon: SyncDaemon): Promise<KernelError | undefined>;
  stopSync(role: SyncDaemon["role"]): Promise<KernelError | undefined>;
  close(): void;
}

/** Opens it, and loads the kernel's module where that is possible. */
export type OpenIpvs = () => Promise<Ipvs | KernelError>;
