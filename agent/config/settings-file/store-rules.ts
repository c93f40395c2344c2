import type { Micros } from "../../core/time.ts";
import { seconds } from "../../core/time.ts";
import type { StoreKind } from "../mandates.ts";

/** What the block of one store may say, and must. */
export interface StoreRules {
  /** As people write its name. */
  readonly title: string;
  readonly endpoint: "url" | "host:port";
  /** Of `host:port`: what it usually is. */
  readonly usualPort: number;
  /** Further words than those of all stores. */
  readonly words: ReadonlySet<string>;
  readonly needs: readonly string[];
  /** A shorter one the store does not keep, or keeps no promise for. */
  readonly leastTtl: Micros;
  /** Why. */
  readonly leastTtlReason: string;
  readonly usualTtl: Micros;
  /** What its prefix must look like, and an example. */
  readonly prefix: readonly [form: RegExp, example: string];
}

/** Words of every store. */
const COMMON = ["endpoint", "ttl", "renew_interval", "request_timeout", "prefix"];
export const TLS_WORDS = ["ca_file", "cert_file", "key_file", "server_name"] as const;

const words = (...more: readonly string[]): ReadonlySet<string> => new Set([...COMMON, ...more]);
const FREE_PREFIX = /^[\w.:/-]{1,128}$/;

/** What the clients of the stores can do; they are told by these words alone. */
export const STORE_RULES: Readonly<Record<StoreKind, StoreRules>> = {
  zookeeper: {
    title: "ZooKeeper",
    endpoint: "host:port",
    usualPort: 2181,
    words: words("user", "password_secret"),
    needs: [],
    // A server tells its leader every half tick who is alive; a ttl of two ticks outlives that.
    leastTtl: seconds(4),
    leastTtlReason: "two of its ticks of 2 s",
    usualTtl: seconds(5),
    prefix: [/^(\/[\w.-]+)+$/, "/holdfast"],
  },
  etcd: {
    title: "etcd",
    endpoint: "url",
    usualPort: 2379,
    words: words("user", "password_secret", ...TLS_WORDS),
    needs: [],
    leastTtl: seconds(2),
    leastTtlReason: "one and a half of its election time-outs, in whole seconds",
    usualTtl: seconds(5),
    prefix: [FREE_PREFIX, "holdfast/"],
  },
  consul: {
    title: "Consul",
    endpoint: "url",
    usualPort: 8500,
    words: words("token_secret", "datacenter", ...TLS_WORDS),
    needs: [],
    leastTtl: seconds(10),
    leastTtlReason: "the shortest session that it takes",
    usualTtl: seconds(10),
    prefix: [FREE_PREFIX, "holdfast/"],
  },
  kubernetes: {
    title: "Kubernetes",
    endpoint: "url",
    usualPort: 6443,
    words: words("token_secret", "namespace", ...TLS_WORDS),
    needs: ["namespace"],
    leastTtl: seconds(2),
    leastTtlReason: "a Lease has whole seconds, and a released one has 1",
    usualTtl: seconds(5),
    prefix: [/^[a-z0-9][a-z0-9.-]{0,62}$/, "holdfast-"],
  },
  redis: {
    title: "Redis",
    endpoint: "host:port",
    usualPort: 6379,
    words: words("user", "password_secret", "database", ...TLS_WORDS),
    needs: [],
    leastTtl: seconds(1),
    leastTtlReason: "what is left for a renewal that is lost",
    usualTtl: seconds(5),
    prefix: [FREE_PREFIX, "holdfast:"],
  },
};
