/** State of a virtual router on one node. RFC 9568 §6.4; `fault` is keepalived's FAULT. */
export type RouterState = "initialize" | "backup" | "active" | "fault";

/** One named part of an effective priority. */
export interface PriorityPart {
  readonly source: string;
  /** −253–253. */
  readonly weight: number;
  /** Wall-clock milliseconds since 1970: since when it has this weight. */
  readonly since: number;
}

/** A virtual router (vrrp_instance) of this node, as it was when the run began. */
export interface RouterView {
  readonly name: string;
  readonly state: RouterState;
  /** Effective priority: the sum of base and contributions within 1–254; 255: the owner. */
  readonly priority: number;
  /** As configured, 1–255. */
  readonly base: number;
  readonly contributions: readonly PriorityPart[];
  /** Its virtual addresses, with prefix length. */
  readonly addresses: readonly string[];
  readonly interface: string | null;
}

/** Another router that was heard on a segment. */
export interface PeerView {
  /** The virtual router that it was heard for. */
  readonly router: string;
  readonly address: string;
  readonly priority: number;
  /** Wall-clock milliseconds. */
  readonly lastHeardAt: number;
}

/** Another machine, as its advertisements show it. */
export interface NodeView {
  readonly address: string;
  readonly routers: readonly string[];
  /** Wall-clock milliseconds. */
  readonly lastHeardAt: number;
}

export interface RealServerView {
  /** `"service/address:port"`. */
  readonly name: string;
  readonly up: boolean;
  readonly weight: number;
  readonly activeConnections: number;
}

/** Milliseconds that the checks of a real server took, of those that succeeded. */
export interface LatencyView {
  /** The last one. */
  readonly last: number;
  /** Half of the last 64 took no longer. */
  readonly p50: number;
  /** All of them but 1 % took no longer. */
  readonly p99: number;
}

/** A real server as `balance` sees it. */
export interface BalancedServer extends RealServerView {
  /** `"address:port"`, within its service: what weights are answered by. */
  readonly key: string;
  /** As configured; `weight` is what it has now. */
  readonly configuredWeight: number;
  /** Why it is up or down, as its checks say; often empty. */
  readonly reason: string;
  /** It counts as up because too many others fell with it (the guard against mass failures). */
  readonly held: boolean;
  /** What an operator said of it, which no weight changes. */
  readonly order: "drain" | "disable" | "weight" | null;
  /** As the slowest of its checks says; `undefined`: none has succeeded yet, or none takes time. */
  readonly latencyMs: LatencyView | undefined;
  readonly inactiveConnections: number;
  /** Connections from which on the kernel sends none, and below which it does again; 0: no such limit. */
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}

/** A service as `balance` sees it. */
export interface BalancedService extends ServiceView {
  readonly realServers: readonly BalancedServer[];
}

export interface ServiceView {
  readonly name: string;
  readonly quorum: boolean;
  readonly realServers: readonly RealServerView[];
}
