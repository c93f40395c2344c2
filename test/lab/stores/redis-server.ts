import type { Ensemble } from "./ensemble.ts";
import { freePorts } from "./etcd.ts";
import { StoreProcess } from "./store-process.ts";

/** Redis on 127.0.0.1, which keeps every write; `more` gives arguments for a folder. */
export async function redisServer(
  more: (folder: string) => readonly string[] = () => [],
  kind: "port" | "tls-port" = "port",
): Promise<Ensemble> {
  const ports = await freePorts(1);
  const server = new StoreProcess((folder) => [
    "/usr/bin/redis-server",
    ...["--bind", "127.0.0.1", "--port", "0", `--${kind}`, String(ports[0]), "--dir", folder],
    ...["--save", "", "--appendonly", "yes", "--appendfsync", "always"],
    ...more(folder),
  ]).start();
  return { ports, servers: [server] };
}
