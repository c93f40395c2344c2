import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ensemble } from "./ensemble.ts";
import { freePorts } from "./etcd.ts";
import { StoreProcess } from "./store-process.ts";

/** Milliseconds; sessions last from 2 of them to 20. */
export const TICK = 100;

const JVM = [
  ...["-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
  ...["-Dzookeeper.admin.enableServer=false", "-Dzookeeper.jmx.log4j.disable=true"],
];

/** An ensemble of ZooKeeper on 127.0.0.1. */
export async function zookeeper(members: number, tick = TICK): Promise<Ensemble> {
  const ports = await freePorts(members * 3);
  const clients = ports.slice(0, members);
  const others = clients.map((_, at) => {
    const [quorum, election] = [ports[members + at], ports[2 * members + at]];
    return `server.${at + 1}=127.0.0.1:${quorum}:${election}`;
  });
  const servers = clients.map((client, at) =>
    new StoreProcess((folder) => {
      const config = join(folder, "zoo.cfg");
      writeFileSync(join(folder, "myid"), `${at + 1}`);
      writeFileSync(
        config,
        [
          ...[`tickTime=${tick}`, "initLimit=100", "syncLimit=30", `dataDir=${folder}`],
          ...["clientPortAddress=127.0.0.1", `clientPort=${client}`, "maxClientCnxns=0"],
          ...(members === 1 ? [] : others),
        ].join("\n"),
      );
      const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
      return ["/usr/bin/java", ...JVM, "-cp", "/usr/share/java/zookeeper.jar", main, config];
    }).start(),
  );
  return { ports: clients, servers };
}
