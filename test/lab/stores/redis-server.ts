import type { Ensemble } from "./ensemble.ts";
import { freePorts } from "./etcd.ts";
import { StoreProcess } from "./store-process.ts";

/** Redis on 127.0.0.1, which keeps every write; `more` are arguments, as `--requirepass`, `x`. */
export async function redisServer(more: readonly string[] = []): Promise<Ensemble> {
  const ports = await freePorts(1);
  const server = new StoreProcess((folder) => [
    "/usr/bin/redis-server",
    ...["--bind", "127.0.0.1", "--port", String(ports[0]), "--dir", folder, "--save", ""],
    ...["--appendonly", "yes", "--appendfsync", "always"],
    ...more,
  ]).start();
  return { ports, servers: [server] };
}
