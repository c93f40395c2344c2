import type { IpvsTimeouts, SyncDaemon, SyncRole } from "../core/ipvs/connections.ts";
import type { IpvsCommand } from "../core/ipvs/reconcile.ts";
import type {
  DestinationKey,
  ServiceKey,
  ServiceTable,
  ServiceTarget,
} from "../core/ipvs/service.ts";
import type { DestinationCounters, TrafficCounters } from "../core/ipvs/traffic.ts";
import type { KernelError } from "./error.ts";

export interface ServiceCounters {
  readonly service: TrafficCounters;
  readonly destinations: ReadonlyMap<DestinationKey, DestinationCounters>;
}

/** The kernel's table at one moment. */
export interface IpvsPicture {
  readonly table: ServiceTable;
  readonly counters: ReadonlyMap<ServiceKey, ServiceCounters>;
}

/** The `code` of a KernelError from ip_vs: all there are. */
export type IpvsErrorCode =
  /** The kernel has no ip_vs, and found no module of it. */
  | "ip-vs-missing"
  | "not-permitted"
  | "unknown-scheduler"
  | "unknown-persistence-engine"
  | "service-exists"
  | "service-missing"
  | "destination-exists"
  | "destination-missing"
  /** Sync daemons. */
  | "daemon-runs"
  | "daemon-missing"
  | "interface-missing"
  /** The kernel finds the values unfit; the message says which where that is known. */
  | "invalid"
  | "family-missing"
  | "out-of-memory"
  | "no-answer"
  | "closed"
  /** None of these: the message has the kernel's own name for it. */
  | "refused";

/** ip_vs of one network namespace. Nothing here rejects: what the kernel refused is in the answer. */
export interface Ipvs {
  /**
   * Of these services as far as they exist, or of all, in no order. Does not hold up `apply`: a picture taken
   * while commands are carried out may show some of them done and others not.
   */
  read(targets?: readonly ServiceTarget[]): Promise<IpvsPicture | KernelError>;
  /**
   * Carries commands out in order, many in one system call. Answers by index what was refused; the
   * others were done. What was refused because its service could not be added has that same error.
   * What is asked for while earlier commands are carried out comes after them.
   */
  apply(commands: readonly IpvsCommand[]): Promise<ReadonlyMap<number, KernelError>>;
  timeouts(): Promise<IpvsTimeouts | KernelError>;
  /** A 0 leaves that one as it is. */
  setTimeouts(timeouts: IpvsTimeouts): Promise<KernelError | undefined>;
  /** With what the kernel chose in the place of every `undefined`. */
  syncDaemons(): Promise<readonly SyncDaemon[] | KernelError>;
  startSync(daemon: SyncDaemon): Promise<KernelError | undefined>;
  stopSync(role: SyncRole): Promise<KernelError | undefined>;
  /** What is asked later is answered with an error. Changes nothing in the kernel. */
  close(): void;
}

/**
 * Opens ip_vs of the network namespace of this name; `""`: of the one that the machine started with;
 * `undefined`: of the one that the main thread is in. Makes the kernel load it if it can.
 */
export type OpenIpvs = (namespace?: string) => Promise<Ipvs | KernelError>;
