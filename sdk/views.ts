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

export interface ServiceView {
  readonly name: string;
  readonly quorum: boolean;
  readonly realServers: readonly RealServerView[];
}
