import type { Family, IpAddress } from "../core/address.ts";
import type { Forwarding, Persistence, ServiceProtocol } from "../core/ipvs/service.ts";
import type { Micros } from "../core/time.ts";
import type { Position } from "./position.ts";
import type { CommandConfig } from "./trackers.ts";

/** One traffic target of a virtual server: each is a service of the kernel, all with the same pool. */
export type VirtualTarget =
  | { readonly kind: "address"; readonly address: IpAddress; readonly port: number }
  | { readonly kind: "fwmark"; readonly fwmark: number; readonly family: Family };

/** One virtual_server. */
export interface VirtualServerConfig {
  readonly position: Position;
  /** As keepalived names it to scripts and FIFOs: `[192.0.2.1]:tcp:80`, `FWM 5`, `[GROUP]:tcp`. */
  readonly name: string;
  /** One, or all of a virtual_server_group: ranges are written out. */
  readonly targets: readonly VirtualTarget[];
  readonly protocol: ServiceProtocol;
  readonly scheduler: string;
  readonly schedulerFlags: readonly [boolean, boolean, boolean];
  readonly onePacket: boolean;
  readonly persistence: Persistence | undefined;
  /** Live weight that is wanted, and the slack around it: both ≥ 0. */
  readonly quorum: number;
  readonly hysteresis: number;
  readonly quorumUp: CommandConfig | undefined;
  readonly quorumDown: CommandConfig | undefined;
  /** Takes the traffic while the quorum is lost. */
  readonly sorryServer: PoolServer | undefined;
  /** While it does not, it stays in the pool with weight 0 instead of being removed. */
  readonly sorryServerInhibit: boolean;
  /** At a stop, quorum_down and notify_down run. */
  readonly omega: boolean;
  /** Checks stand still while none of its addresses is on this host. */
  readonly haSuspend: boolean;
  readonly mail: boolean;
  /** holdfast_drain: how long a real server that is removed may finish its connections; 0: not at all. */
  readonly drainTime: Micros;
  /** holdfast_slow_start: from 1 to its weight within this time when it comes back; 0: at once. */
  readonly slowStart: Micros;
  /**
   * holdfast_panic N: when so many real servers fail at once that less than N percent of those that were up
   * are left, the last good pool stays; 0: off, as keepalived.
   */
  readonly panicThreshold: number;
  readonly realServers: readonly RealServerConfig[];
}

export interface PoolServer {
  readonly address: IpAddress;
  readonly port: number;
  readonly forwarding: Forwarding;
}

/** One real_server. */
export interface RealServerConfig extends PoolServer {
  readonly position: Position;
  /** As keepalived names it to scripts and FIFOs: `[192.0.2.10]:tcp:80`; with fwmark `:none:`. */
  readonly name: string;
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  /** A failure gives it weight 0 instead of removing it. */
  readonly inhibitOnFailure: boolean;
  readonly notifyUp: CommandConfig | undefined;
  readonly notifyDown: CommandConfig | undefined;
  readonly mail: boolean;
  /** All of them must be up; without any it is always up. */
  readonly checks: readonly ServerCheckConfig[];
}

/** When a check runs, and what its results count. */
export interface CheckTiming {
  /** delay_loop: from one probe to the next. */
  readonly interval: Micros;
  /** So many more probes must fail before it is down, and the gap between them. */
  readonly retries: number;
  readonly retryInterval: Micros;
  /** Most that the first probe is put off, by chance. */
  readonly warmup: Micros;
  /** Of one probe, connecting included. */
  readonly timeout: Micros;
  /** alpha: down until a probe has succeeded. */
  readonly startsDown: boolean;
  readonly logAllFailures: boolean;
}

/** Where a probe goes, and from where. */
export interface ProbeEndpoint {
  readonly address: IpAddress;
  readonly port: number;
  readonly sourceAddress: IpAddress | undefined;
  readonly sourcePort: number | undefined;
  readonly interface: string | undefined;
  /** SO_MARK; 0: none. */
  readonly fwmark: number;
  /** holdfast_data_path: `address` is a virtual one, and packets go the way of clients' to this real server. */
  readonly dataPath?: DataPath;
}

/** The way to one real server: the kernel has a service for it, and a mark leads there. */
export interface DataPath {
  readonly server: IpAddress;
  readonly forwarding: Forwarding;
}

/** Marks of data paths, first and last. */
export const DATA_PATH_MARKS = { first: 0x4846_0000, last: 0x484f_ffff };

/** One check of one real server. */
export interface ServerCheckConfig {
  readonly position: Position;
  readonly timing: CheckTiming;
  readonly probe: ProbeConfig;
}

/** What is looked at. Two checks with an equal probe and timing share one probe. Plain JSON. */
export type ProbeConfig =
  | { readonly kind: "tcp"; readonly to: ProbeEndpoint }
  | HttpProbe
  | SmtpProbe
  | DnsProbe
  | UdpProbe
  | GrpcProbe
  | { readonly kind: "ping"; readonly to: ProbeEndpoint }
  | {
      readonly kind: "misc";
      readonly command: CommandConfig;
      readonly timeout: Micros;
      /** misc_dynamic: status 2–255 is success with weight status − 2. */
      readonly dynamic: boolean;
    }
  /**
   * A track_file's number, times `weight`, is added to the real server's weight; with weight 0 any number
   * but 0 takes it down.
   */
  | {
      readonly kind: "file";
      readonly file: string;
      readonly weight: number;
      readonly reverse: boolean;
    }
  | { readonly kind: "bfd"; readonly session: string }
  /** `holdfast_check "policy:NAME/CHECK"`: the verdict of a policy's check. */
  | { readonly kind: "policy"; readonly policy: string; readonly check: string }
  /** It may not run, and so has failed: why. */
  | { readonly kind: "refused"; readonly reason: string };

/** HTTP_GET and SSL_GET. */
export interface HttpProbe {
  readonly kind: "http";
  readonly to: ProbeEndpoint;
  readonly tls: TlsProbe | undefined;
  readonly version: "1.0" | "1.0C" | "1.1" | "2";
  /** One after another, one a probe; when the server is down all of them must answer. */
  readonly urls: readonly HttpUrl[];
}

export interface HttpUrl {
  readonly path: string;
  /** Host header; `undefined`: the address. */
  readonly host: string | undefined;
  /** SNI in place of the probe's; `null`: none is sent. */
  readonly serverName?: string | null;
  /** From–to, both included. */
  readonly statusCodes: readonly (readonly [number, number])[];
  /** MD5 of the body, 32 hexadecimal digits. */
  readonly digest: string | undefined;
  readonly regex:
    | {
        /** As RegExp takes it; what the file has is PCRE2, its options included. */
        readonly pattern: string;
        /** `i`, `u`. Without `u` it is matched against bytes: the body is to be read as latin1. */
        readonly flags: string;
        /** It must not match. */
        readonly negated: boolean;
        /** Where a match may begin, first and last; what is before the first may be looked at. */
        readonly minOffset: number;
        readonly maxOffset: number | undefined;
      }
    | undefined;
  /** What lies there in the body, which is JSON: a text as it is, all else as JSON writes it. */
  readonly json?: { readonly path: readonly string[]; readonly equals: string };
}

export interface TlsProbe {
  /** SNI, and with `verify` the name that the certificate is to have; `undefined`: none is sent. */
  readonly serverName: string | undefined;
  /** `false`: as keepalived, which looks at no certificate; said at its line by `check`. */
  readonly verify: boolean;
  readonly caFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly keyPassword: string | undefined;
}

/** grpc.health.v1.Health/Check over HTTP/2. */
export interface GrpcProbe {
  readonly kind: "grpc";
  readonly to: ProbeEndpoint;
  readonly tls: TlsProbe | undefined;
  /** `""`: the server as a whole. */
  readonly service: string;
}

export interface SmtpProbe {
  readonly kind: "smtp";
  readonly to: ProbeEndpoint;
  readonly heloName: string;
}

export interface DnsProbe {
  readonly kind: "dns";
  readonly to: ProbeEndpoint;
  readonly type: string;
  readonly name: string;
}

export interface UdpProbe {
  readonly kind: "udp";
  readonly to: ProbeEndpoint;
  /** Hexadecimal; `undefined`: random bytes. */
  readonly payload: string | undefined;
  readonly requireReply: boolean;
  /** Hexadecimal, `x` for any digit; `undefined`: any reply. */
  readonly reply: string | undefined;
  readonly minReplyLength: number;
  readonly maxReplyLength: number;
}

/** lvs_sync_daemon. */
export interface SyncDaemonConfig {
  readonly position: Position;
  readonly interface: string;
  /** Follows this vrrp_instance; `undefined`: both roles, always. */
  readonly instance: string | undefined;
  readonly syncId: number;
  readonly maxLength: number | undefined;
  readonly port: number | undefined;
  readonly ttl: number | undefined;
  readonly group: IpAddress | undefined;
}

/** What keepalived.conf says of load balancing. */
export interface BalancingConfig {
  readonly virtualServers: readonly VirtualServerConfig[];
  /** Seconds; 0: as the kernel has it. */
  readonly timeouts: { readonly tcp: number; readonly tcpFin: number; readonly udp: number };
  readonly syncDaemon: SyncDaemonConfig | undefined;
  /** lvs_flush: also services of others are removed at the start. */
  readonly flushAtStart: boolean;
  /** lvs_flush_on_stop; keepalived removes its services at a stop either way. */
  readonly flushAtStop: boolean;
  /** rs_init_notifies. */
  readonly notifyAtStart: boolean;
  /**
   * net_namespace_ipvs: where traffic is balanced, if not where checks look from; `""`: the namespace that the
   * machine started with.
   */
  readonly ipvsNamespace?: string;
}

export const NO_BALANCING: BalancingConfig = {
  virtualServers: [],
  timeouts: { tcp: 0, tcpFin: 0, udp: 0 },
  syncDaemon: undefined,
  flushAtStart: false,
  flushAtStop: false,
  notifyAtStart: false,
};

/** More real servers than this are not directors. */
const MOST_DIRECT_SERVERS = 64;

/** Addresses of real servers behind direct routing, each once. */
export function directServersOf({ virtualServers }: BalancingConfig): readonly IpAddress[] {
  const found = new Set<IpAddress>();
  for (const { realServers } of virtualServers) {
    for (const { address, forwarding } of realServers) {
      if (forwarding.kind === "dr") found.add(address);
      if (found.size === MOST_DIRECT_SERVERS) return [...found];
    }
  }
  return [...found];
}
