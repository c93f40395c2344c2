import type { Family } from "../../../../core/address.ts";
import { familyOf } from "../../../../core/address.ts";
import { destinationKey } from "../../../../core/ipvs/service.ts";
import type { PoolServer } from "../../../virtual-servers.ts";
import type { Word } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { TargetsDraft } from "./targets.ts";

/** What the servers of one virtual server are held against. */
export interface PoolRules {
  readonly targets: TargetsDraft;
  readonly families: ReadonlySet<Family>;
  /** A sync daemon runs: the kernel then takes no servers of another family. */
  readonly syncs: boolean;
}

interface Written {
  readonly server: PoolServer;
  readonly at: Word;
}

/** The server as the kernel is to have it; `undefined`: it cannot be in the pool, which is said. */
export function fitServer<Server extends PoolServer>(
  server: Server,
  at: Word,
  rules: PoolRules,
  lowering: Lowering,
): Server | undefined {
  if (!familyFits({ server, at }, rules, lowering)) return undefined;
  const port = portInPool({ server, at }, rules.targets, lowering);
  return port === server.port ? server : { ...server, port };
}

function familyFits(
  { server: { address, forwarding }, at }: Written,
  { targets, families, syncs }: PoolRules,
  lowering: Lowering,
): boolean {
  const family = familyOf(address);
  const tunnel = forwarding.kind === "tunnel";
  if (families.size === 1 && families.has(family)) return true;
  const others = [...families].filter((each) => each !== family).map(familyName);
  if (tunnel && !syncs) return true;
  const between = `${address} is of another family than ${targets.name} is for (${others.join()})`;
  const message = tunnel
    ? `${between}: with lvs_sync_daemon the kernel takes none`
    : `${between}: only a tunnel gets there`;
  const hint = tunnel
    ? "use a server of the same family, or no lvs_sync_daemon"
    : "use a server of the same family, or write lvs_method TUN";
  report(lowering, "server-family", at, message, hint);
  return families.has(family);
}

const familyName = (family: Family): string => (family === "ipv4" ? "IPv4" : "IPv6");

/** Without NAT a packet reaches the server as it is: at the port that it came for. */
function portInPool(
  { server: { address, port, forwarding }, at }: Written,
  { kind, name, targets }: TargetsDraft,
  lowering: Lowering,
): number {
  if (kind === "group") return port;
  const [target] = targets;
  const served = target?.kind === "address" ? target.port : 0;
  if (port === 0) return served;
  if (forwarding.kind === "nat") {
    if (kind === "address" && served === 0) {
      const message = `all ports of ${name} go to port ${port} of ${address}`;
      report(lowering, "port-missing", at, message, "write the port of the virtual server too");
    }
    return port;
  }
  if (port === served) return port;
  const instead = served === 0 ? "the port that they came for" : `port ${served}`;
  const message = `packets reach ${address} at ${instead}, not ${port}: only NAT changes it`;
  const hint = `write ${address}${served === 0 ? "" : ` ${served}`}, and connect_port ${port} in its checks`;
  report(lowering, "server-port", at, message, hint);
  return served;
}

/** Takes each server once. */
export class Pool<Server extends PoolServer> {
  readonly servers: Server[] = [];
  readonly #taken = new Set<string>();

  add(server: Server, at: Word, name: string, lowering: Lowering): void {
    const key = destinationKey(server);
    if (this.#taken.has(key)) {
      const message = `${name} has ${key} already`;
      report(lowering, "server-duplicate", at, message, "keep one of the blocks");
      return;
    }
    this.#taken.add(key);
    this.servers.push(server);
  }
}
