import type { Family, IpAddress, Prefix } from "../core/address.ts";
import type { Micros } from "../core/time.ts";
import type { VirtualRouter } from "../core/vrrp/virtual-router.ts";
import type { Authentication } from "./authentication.ts";
import type { BfdInstanceConfig } from "./bfd-instances.ts";
import type { FencingMode } from "./fencing.ts";
import type { MandateConfig } from "./mandates.ts";
import type { NotificationConfig, NotifyConfig } from "./notifications.ts";
import type { Position } from "./position.ts";
import type { TrackedCheck, TrackerConfig } from "./trackers.ts";
import type { BalancingConfig } from "./virtual-servers.ts";

/** Everything that one node was told, checked and complete. Plain JSON: it travels between processes. */
export interface Config {
  readonly global: GlobalConfig;
  readonly instances: readonly InstanceConfig[];
  readonly syncGroups: readonly SyncGroupConfig[];
  /** Of sync groups, and of instances that are in none. */
  readonly mandates: readonly MandateConfig[];
  readonly staticAddresses: readonly AddressConfig[];
  readonly staticRoutes: readonly RouteConfig[];
  readonly staticRules: readonly RuleConfig[];
  readonly trackGroups: readonly TrackGroupConfig[];
  readonly announcementPaces: readonly AnnouncementPace[];
  readonly interfaceDelays: readonly InterfaceDelay[];
  /** vrrp_script, track_file and vrrp_track_process. */
  readonly trackers: readonly TrackerConfig[];
  readonly bfdInstances: readonly BfdInstanceConfig[];
  readonly notifications: NotificationConfig;
  readonly balancing: BalancingConfig;
  /** Real servers behind direct routing, each once, and 64 at most: also for who knows no virtual servers. */
  readonly directServers: readonly IpAddress[];
}

export interface GlobalConfig {
  readonly routerId: string;
  readonly netNamespace: string | undefined;
  readonly instanceName: string | undefined;
  readonly usePidDirectory: boolean;
  /** How long a graceful stop may take before a child is killed. */
  readonly childWaitTime: Micros;
  readonly processNames: Readonly<Record<"supervisor" | "vrrp" | "director", string | undefined>>;
  readonly vrrpScheduling: SchedulingConfig;
  readonly directorScheduling: SchedulingConfig;
  /** Raises the vrrp process's real-time priority by one when a deadline is met this late. */
  readonly automaticPriority: AutomaticPriority | undefined;
  /** No IGMP reports for link-local groups such as VRRP's own: a sysctl of the whole host. */
  readonly disableLocalIgmp: boolean;
  readonly logUnknownVrids: boolean;
  /** From the start of the process, and of the machine, to the first decision of an instance. */
  readonly startupDelay: Micros;
  readonly delayAfterBoot: Micros;
  readonly netlinkReceiveBuffers: NetlinkReceiveBuffers;
  readonly umask: number | undefined;
  readonly reload: ReloadConfig;
}

/** How a process is to be scheduled; everything left out stays as the system has it. */
export interface SchedulingConfig {
  /** nice value, −20–19. */
  readonly nice: number | undefined;
  /** SCHED_RR priority, 1–99. */
  readonly realtimePriority: number | undefined;
  /** RLIMIT_RTTIME in microseconds. */
  readonly realtimeLimit: number | undefined;
  readonly cpuAffinity: readonly number[] | undefined;
  /** mlockall: never swapped out. */
  readonly noSwap: boolean;
}

export interface AutomaticPriority {
  /** The highest SCHED_RR priority to go to, 1–99. */
  readonly ceiling: number;
  /** Lateness that counts. */
  readonly lateness: Micros;
}

/** SO_RCVBUF of the sockets to the kernel; `undefined`: 8 MiB for announcements, 1 MiB for answers. */
export interface NetlinkReceiveBuffers {
  readonly announcements: NetlinkReceiveBuffer | undefined;
  readonly answers: NetlinkReceiveBuffer | undefined;
}

export interface NetlinkReceiveBuffer {
  readonly bytes: number;
  /** Beyond net.core.rmem_max. */
  readonly force: boolean;
}

/** Room for packets that one instance asks for; a shared socket gets the sum. */
export type ReceiveBuffer =
  | { readonly policy: "system" }
  /** This many packets of the interface's MTU, or of the size of the instance's advertisement. */
  | { readonly policy: "mtu" | "advertisement"; readonly multiplier: number }
  | { readonly policy: "bytes"; readonly bytes: number };

export interface ReloadConfig {
  /** File that holds the moment of a scheduled reload. */
  readonly timeFile: string | undefined;
  /** A moment without a date comes again every day; else the file is removed with the reload. */
  readonly repeat: boolean;
  /** File present while configuration is being read. */
  readonly lockFile: string | undefined;
}

/** One vrrp_instance. */
export interface InstanceConfig {
  readonly position: Position;
  /** Protocol parameters; `priority` is the configured one, `primaryAddress` is not known yet. */
  readonly router: VirtualRouter;
  /** `undefined` only for unicast with a source address. */
  readonly interface: string | undefined;
  /** The VRF that unicast without an interface is bound to. */
  readonly vrf: string | undefined;
  readonly transport: Transport;
  /** mcast_src_ip or unicast_src_ip. */
  readonly sourceAddress: IpAddress | undefined;
  /** Fault while the source address is not on the host. */
  readonly trackSourceAddress: boolean;
  readonly virtualLink: VirtualLink | undefined;
  /** Virtual links on further interfaces, for addresses that say `useVirtualMac`. */
  readonly addressLinks: readonly AddressLink[];
  readonly addresses: readonly AddressConfig[];
  /** Installed but not advertised. */
  readonly excludedAddresses: readonly AddressConfig[];
  readonly routes: readonly RouteConfig[];
  readonly rules: readonly RuleConfig[];
  readonly authentication: Authentication;
  /** What the IPv4 v3 checksum covers on send; both forms are accepted. */
  readonly checksum: ChecksumForm;
  /** Accept packets to the addresses. RFC 9568 Accept_Mode; keepalived accepts by default. */
  readonly accept: boolean;
  readonly strict: boolean;
  /** What a foreign address list does. RFC 9568 §7.1 has it logged, not dropped. */
  readonly addressListMismatch: "alarm" | "drop";
  /** Check the address list only once per active router. */
  readonly skipAddressListCheck: boolean;
  readonly trackInterfaces: readonly TrackedInterface[];
  /** track_script, track_file and track_process. */
  readonly trackers: readonly TrackedCheck[];
  readonly notify: NotifyConfig;
  /** The instance's own interface going down is no fault. */
  readonly ignorePrimaryInterface: boolean;
  readonly promoteSecondaries: boolean;
  readonly receiveBuffer: ReceiveBuffer;
  /** Periodic announcements on interfaces other than the instance's own. */
  readonly extraInterfaceAnnouncements:
    | { readonly interval: Micros; readonly all: boolean }
    | undefined;
  readonly syncGroup: string | undefined;
  readonly fencing: FencingMode;
}

/** What the v3 IPv4 checksum covers: the message (RFC 9568 §5.2.8), or a pseudo-header too. */
export type ChecksumForm = "message" | "pseudo-header";

export type Transport =
  /** `alsoOn`: further interfaces. There the sender's own source address ends the list. */
  | { readonly mode: "multicast"; readonly group: IpAddress; readonly alsoOn?: readonly string[] }
  | {
      readonly mode: "unicast";
      readonly peers: readonly UnicastPeer[];
      /** TTL on send; `undefined`: 255 for IPv4, the kernel's for IPv6. */
      readonly ttl: number | undefined;
      readonly checkSource: boolean;
      /** Fault, instead of silence, while the list of peers is empty. */
      readonly faultWithoutPeer: boolean;
    };

export interface UnicastPeer {
  readonly address: IpAddress;
  /** Accepted TTL on receipt, 0–255; both `undefined`: not checked. */
  readonly minTtl: number | undefined;
  readonly maxTtl: number | undefined;
}

/** An interface of the instance's own on top of the configured one. */
export type VirtualLink =
  | {
      readonly kind: "macvlan";
      readonly name: string;
      /** `undefined`: the virtual router MAC of RFC 9568 §7.3. */
      readonly mac: string | undefined;
      /** Advertise on the parent rather than on the macvlan. */
      readonly transmitOnBase: boolean;
      readonly group: number | undefined;
    }
  | {
      readonly kind: "ipvlan";
      readonly name: string;
      readonly address: Prefix | undefined;
      readonly flag: "bridge" | "private" | "vepa" | undefined;
      readonly transmitOnBase: boolean;
      readonly group: number | undefined;
    };

/** A macvlan with the virtual router's MAC on an interface that carries addresses. */
export interface AddressLink {
  /** The interface below. */
  readonly interface: string;
  readonly link: VirtualLink;
}

/** One line of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress. */
export interface AddressConfig {
  readonly position: Position;
  readonly address: IpAddress;
  /** Prefix length; keepalived's default: the full length of the family. */
  readonly prefixLength: number;
  /** `undefined`: the instance's interface; always given where there is none. */
  readonly interface: string | undefined;
  readonly broadcast: IpAddress | "+" | "-" | undefined;
  readonly scope: number | undefined;
  readonly label: string | undefined;
  readonly peer: Prefix | undefined;
  /** IFA_F_… names: home nodad mngtmpaddr noprefixroute autojoin. */
  readonly flags: readonly AddressFlag[];
  /** Preferred lifetime in seconds; 0: deprecated at once, as bare IPv6 addresses are; `undefined`: for ever. */
  readonly preferredLifetime: number | undefined;
  /** Losing it to somebody else is no fault. */
  readonly noTrack: boolean;
  readonly trackGroup: string | undefined;
  /** It goes on the virtual link of its interface (`addressLinks`), where there is one. */
  readonly useVirtualMac: boolean;
}

export type AddressFlag = "home" | "nodad" | "mngtmpaddr" | "noprefixroute" | "autojoin";

/** One line of virtual_routes or static_routes, iproute2's words resolved to numbers. */
export interface RouteConfig {
  readonly position: Position;
  readonly family: Family;
  readonly type: RouteType;
  /** `undefined`: default. */
  readonly destination: Prefix | undefined;
  readonly source: Prefix | undefined;
  readonly preferredSource: IpAddress | undefined;
  readonly gateway: IpAddress | undefined;
  readonly interface: string | undefined;
  readonly table: number | undefined;
  readonly metric: number | undefined;
  readonly scope: number | undefined;
  readonly tos: number | undefined;
  readonly protocol: number | undefined;
  readonly onlink: boolean;
  readonly preference: "low" | "medium" | "high" | undefined;
  readonly realms: number | undefined;
  /** Seconds. */
  readonly expires: number | undefined;
  readonly ttlPropagate: boolean | undefined;
  /** RTAX_… metrics by iproute2's names, with the number to set and whether it is locked. */
  readonly metrics: readonly RouteMetric[];
  /** Congestion control algorithm. */
  readonly congestionControl: { readonly name: string; readonly lock: boolean } | undefined;
  readonly encapsulation: Encapsulation | undefined;
  readonly nexthops: readonly Nexthop[];
  /** What to do beside a route to the same destination: take its place, or stand behind or before it. */
  readonly mode: "replace" | "append" | "prepend";
  readonly noTrack: boolean;
  readonly trackGroup: string | undefined;
}

export type RouteType =
  | "unicast"
  | "local"
  | "broadcast"
  | "anycast"
  | "multicast"
  | "blackhole"
  | "unreachable"
  | "prohibit"
  | "throw"
  | "nat";

export interface RouteMetric {
  readonly name:
    | "mtu"
    | "window"
    | "rtt"
    | "rttvar"
    | "ssthresh"
    | "cwnd"
    | "advmss"
    | "reordering"
    | "hoplimit"
    | "initcwnd"
    | "features"
    | "rto_min"
    | "initrwnd"
    | "quickack"
    | "fastopen_no_cookie";
  readonly value: number;
  readonly lock: boolean;
}

export interface Encapsulation {
  readonly type: "mpls" | "ip" | "ip6" | "ila";
  readonly labels: readonly number[];
  readonly id: number | undefined;
  readonly source: IpAddress | undefined;
  readonly destination: IpAddress | undefined;
  readonly tos: number | undefined;
  readonly ttl: number | undefined;
  readonly flags: number | undefined;
  /** ILA locator, the 64 bits as four hexadecimal groups. */
  readonly locator: string | undefined;
}

export interface Nexthop {
  readonly gateway: IpAddress | undefined;
  readonly interface: string | undefined;
  /** 1–256. */
  readonly weight: number;
  readonly onlink: boolean;
  readonly realms: number | undefined;
  readonly encapsulation: Encapsulation | undefined;
}

/** One line of virtual_rules or static_rules. */
export interface RuleConfig {
  readonly position: Position;
  readonly family: Family;
  readonly not: boolean;
  readonly from: Prefix | undefined;
  readonly to: Prefix | undefined;
  readonly inputInterface: string | undefined;
  readonly outputInterface: string | undefined;
  readonly tos: number | undefined;
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
  readonly priority: number | undefined;
  readonly table: number | undefined;
  readonly action: "lookup" | "goto" | "nop" | "blackhole" | "unreachable" | "prohibit";
  readonly goto: number | undefined;
  readonly realms: number | undefined;
  readonly suppressPrefixLength: number | undefined;
  readonly suppressInterfaceGroup: number | undefined;
  readonly tunnelId: string | undefined;
  readonly uidRange: readonly [number, number] | undefined;
  readonly l3mdev: boolean;
  readonly protocol: number | undefined;
  readonly ipProtocol: number | undefined;
  readonly sourcePorts: readonly [number, number] | undefined;
  readonly destinationPorts: readonly [number, number] | undefined;
  readonly noTrack: boolean;
  readonly trackGroup: string | undefined;
}

export interface TrackedInterface {
  readonly interface: string;
  /** 0: its loss is a fault; else added to the priority while up (or while down). */
  readonly weight: number;
  readonly reverse: boolean;
}

export interface SyncGroupConfig {
  readonly position: Position;
  readonly name: string;
  readonly members: readonly string[];
  readonly trackInterfaces: readonly TrackedInterface[];
  readonly trackers: readonly TrackedCheck[];
  readonly notify: NotifyConfig;
  readonly weightedTracking: boolean;
}

/** track_group: instances that fault when a static address, route or rule of the group is lost. */
export interface TrackGroupConfig {
  readonly name: string;
  readonly instances: readonly string[];
}

/** garp_group, and the global intervals: how fast announcements may leave an interface. */
export interface AnnouncementPace {
  /** Interfaces that share the pace; `"*"`: every interface not named elsewhere, each by itself. */
  readonly interfaces: readonly string[] | "*";
  readonly arpInterval: Micros;
  readonly naInterval: Micros;
}

/** interface_up_down_delays: how long a link must be down, or up, to count as such. */
export interface InterfaceDelay {
  readonly interface: string;
  readonly down: Micros;
  readonly up: Micros;
}
