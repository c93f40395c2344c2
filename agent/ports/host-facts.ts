import type { Family, IpAddress } from "../core/address.ts";

/** What `holdfast doctor` has to look for. */
export interface HostFactsRequest {
  /** Interfaces to look at, listen and probe on, by name. */
  readonly interfaces: readonly string[];
  /** How long to listen for other routers. */
  readonly listenMs: number;
  /** Processes of a running agent that are to be able to run nothing: their pids, by name. */
  readonly confined: Readonly<Record<string, number>>;
}

/** What could be known of this machine, without judgement. Plain JSON. */
export interface HostFacts {
  readonly kernel: string;
  /** Effective capabilities that matter; root has all unless a container took some. */
  readonly capabilities: Readonly<Record<"netAdmin" | "netRaw", boolean>>;
  /** Not the machine's own user namespace: a container without privileges. */
  readonly userNamespace: boolean;
  readonly selinux: "enforcing" | "permissive" | "absent";
  /** `undefined`: cannot be known here. */
  readonly features: Readonly<Record<KernelFeature, boolean | undefined>>;
  readonly clockSource: string | undefined;
  readonly interfaces: readonly InterfaceFacts[];
  /** Every address of this host. */
  readonly addresses: readonly {
    readonly address: IpAddress;
    readonly interface: string;
    /** Carries Holdfast's mark. */
    readonly ours: boolean;
  }[];
  /** By sysctl's names with dots; missing where the kernel has none such. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly keepalivedProcesses: readonly number[];
  /** Of those that were asked about and can be seen. */
  readonly confined: readonly ConfinementFacts[];
  /** Advertisements that came in while listening. */
  readonly heard: readonly HeardRouter[];
  readonly probes: readonly MulticastProbe[];
}

export type KernelFeature = "macvlan" | "nf_tables" | "ip_vs";

export interface InterfaceFacts {
  readonly name: string;
  readonly present: boolean;
  /** Switched on by the administrator. */
  readonly up: boolean;
  readonly carrier: boolean;
}

export interface ConfinementFacts {
  readonly name: string;
  readonly pid: number;
  /** It gets no more rights than it has, and a filter of system calls keeps it from executing anything. */
  readonly holds: boolean;
}

export interface HeardRouter {
  readonly interface: string;
  readonly family: Family;
  readonly source: IpAddress;
  readonly version: number;
  readonly vrid: number;
  readonly priority: number;
  readonly addresses: readonly IpAddress[];
}

/**
 * Whether a packet of protocol 112 to the VRRP group, sent with a TTL of 0 so that it never leaves this
 * host, came back through this host's packet filter.
 */
export interface MulticastProbe {
  readonly interface: string;
  readonly family: Family;
  readonly outcome: "received" | "lost" | "not-sent";
  /** Why it was not sent. */
  readonly reason: string | undefined;
}

export type CollectHostFacts = (request: HostFactsRequest) => Promise<HostFacts>;
