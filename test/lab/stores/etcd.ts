import { closedPort } from "../../plugins/servers.ts";
import type { Ensemble } from "./ensemble.ts";
import { StoreProcess } from "./store-process.ts";

/** Ports of their own. */
export const freePorts = (count: number): Promise<readonly number[]> =>
  Promise.all(Array.from({ length: count }, closedPort));

/** Short times, so that leases of 2 s are taken. */
const PACE = ["--heartbeat-interval", "50", "--election-timeout", "500"];

/** A cluster of etcd on 127.0.0.1; `more` gives arguments for a folder. */
export async function etcd(
  members: number,
  more: (folder: string) => readonly string[] = () => [],
  scheme = "http",
): Promise<Ensemble> {
  const ports = await freePorts(members * 2);
  const clients = ports.slice(members);
  const peers = ports.slice(0, members);
  const cluster = peers.map((port, at) => `m${at}=http://127.0.0.1:${port}`).join(",");
  const servers = peers.map((peer, at) => {
    const url = `${scheme}://127.0.0.1:${clients[at]}`;
    return new StoreProcess((folder) => [
      "/usr/bin/etcd",
      ...["--name", `m${at}`, "--data-dir", `${folder}/data`, "--initial-cluster", cluster],
      ...["--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", `http://127.0.0.1:${peer}`],
      ...["--initial-advertise-peer-urls", `http://127.0.0.1:${peer}`],
      ...["--log-level", "error"],
      ...PACE,
      ...more(folder),
    ]).start();
  });
  return { ports: clients, servers };
}
