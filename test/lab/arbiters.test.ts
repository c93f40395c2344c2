import { describe } from "node:test";
import { milliseconds, seconds } from "../../agent/core/time.ts";
import { arbiterSuite } from "../plugins/arbiters/arbiter-suite.ts";
import { storeOf } from "./stores/ensemble.ts";
import { etcd } from "./stores/etcd.ts";
import { redisServer } from "./stores/redis-server.ts";
import { zookeeper } from "./stores/zookeeper.ts";

const url = (port: number): string => `http://127.0.0.1:${port}`;

describe("arbiters on real stores", { concurrency: true, timeout: 60_000 }, () => {
  arbiterSuite("etcd, three members", async () =>
    storeOf(
      await etcd(3),
      ([first, ...rest]) => ({ kind: "etcd", endpoints: [url(first), ...rest.map(url)] }),
      { ttl: seconds(2), slack: milliseconds(1_800), rpc: milliseconds(1_500) },
    ),
  );

  arbiterSuite("ZooKeeper, three servers", async () =>
    storeOf(
      await zookeeper(3),
      ([first, ...rest]) => ({
        kind: "zookeeper",
        servers: [`127.0.0.1:${first}`, ...rest.map((port) => `127.0.0.1:${port}`)],
      }),
      { ttl: milliseconds(1_200), slack: milliseconds(1_600), rpc: milliseconds(1_500) },
    ),
  );

  arbiterSuite("Redis", async () =>
    storeOf(await redisServer(), ([port]) => ({ kind: "redis", host: "127.0.0.1", port }), {
      ttl: seconds(1),
      // It writes each change to the disk before it answers.
      slack: milliseconds(1_500),
      rpc: milliseconds(1_000),
    }),
  );
});
