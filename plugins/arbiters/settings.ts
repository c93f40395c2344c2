import type { Micros } from "../../agent/core/time.ts";

/** How TLS is spoken. PEM texts, not paths. */
export interface ArbiterTls {
  /** Who is trusted to sign the store's certificate; without it those that come with Node. */
  readonly ca?: string;
  /** Ours, where the store asks for one. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the certificate is for, where it is not the endpoint's. */
  readonly serverName?: string;
}

export interface UserAndPassword {
  readonly user: string;
  readonly password: string;
}

/** Stores that are reached by HTTP. */
interface HttpSettings {
  /** `http://HOST:PORT` or `https://HOST:PORT`, tried in turn. */
  readonly endpoints: readonly [string, ...string[]];
  readonly tls?: ArbiterTls;
  /** With several endpoints: one that has not answered by then is left for the next. 300 ms. */
  readonly patience?: Micros;
}

export interface EtcdSettings extends HttpSettings {
  readonly kind: "etcd";
  /** Before the name of a lease. `holdfast/`. */
  readonly prefix?: string;
  readonly login?: UserAndPassword;
}

export interface ConsulSettings extends HttpSettings {
  readonly kind: "consul";
  /** `holdfast/` */
  readonly prefix?: string;
  /** An ACL token with `session:write` on the agent's node and `key:write` below the prefix. */
  readonly token?: string;
  readonly datacenter?: string;
  /** How long nobody gets a lease whose session ended without a release. 0: Consul's ttl is slack enough. */
  readonly lockDelay?: Micros;
}

export interface KubernetesSettings extends HttpSettings {
  readonly kind: "kubernetes";
  readonly namespace: string;
  /** Before the name of a Lease; `/`, `_` and capitals of a name are told otherwise. `holdfast-`. */
  readonly prefix?: string;
  /** A service account's token, or what reads its file anew: mounted tokens are replaced hourly. */
  readonly token?: string | (() => string);
}

export interface RedisSettings {
  readonly kind: "redis";
  /** The primary; there is no fail-over to others, as a lease would be lost by it. */
  readonly host: string;
  readonly port: number;
  /** `holdfast:` */
  readonly prefix?: string;
  readonly user?: string;
  readonly password?: string;
  readonly database?: number;
  /** Present: TLS is spoken. */
  readonly tls?: ArbiterTls;
}

export interface ZooKeeperSettings {
  readonly kind: "zookeeper";
  /** `HOST:PORT` of each server. IPv4 or names: the client knows no IPv6 literals. */
  readonly servers: readonly [string, ...string[]];
  /** The folder of nodes under which everything lies; it must exist. */
  readonly chroot?: string;
  /** `/holdfast`, below the chroot; made where it is missing. */
  readonly folder?: string;
  /** For `digest`. Nodes that are made may then be written by this user alone. */
  readonly login?: UserAndPassword;
  /** With several servers: one that has not answered by then is left for the next. 500 ms. */
  readonly patience?: Micros;
}

export type ArbiterSettings =
  | ZooKeeperSettings
  | EtcdSettings
  | ConsulSettings
  | KubernetesSettings
  | RedisSettings;
