import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import type { IpAddress } from "../../../agent/core/address.ts";
import type { ServiceTarget } from "../../../agent/core/ipvs/service.ts";
import { serviceKey } from "../../../agent/core/ipvs/service.ts";
import type { LabNode } from "../../../agent/linux/lab/lab-node.ts";
import { Lab } from "../../../agent/linux/lab.ts";
import { openIpvs } from "../../../agent/linux/netlink/ipvs.ts";
import { KernelError } from "../../../agent/ports/error.ts";
import type { Ipvs } from "../../../agent/ports/ipvs.ts";
import type { KeepalivedStart, Package, ProgramName } from "../program.ts";
import { Daemon } from "../program.ts";

/** Where the bundle is. */
export type Program = Pick<Package, "program">;

const CHECKS_AND_VRRP: KeepalivedStart = { words: [] };

export const service = (address: string): ServiceTarget => ({
  ...{ kind: "address", protocol: "tcp", address: address as IpAddress, port: 80 },
});

/** A node with load balancing in its kernel, and whoever looks into its table. */
export class DirectorNode {
  readonly node: LabNode;
  readonly #lab = new Lab();
  #ipvs: Ipvs | undefined;

  constructor() {
    execFileSync("modprobe", ["ip_vs"]);
    this.node = this.#lab.node("director");
    const peer = this.#lab.node("peer");
    const addresses = ["192.0.2.1/24"];
    this.#lab.connect(this.node, { name: "eth0", addresses }, peer, { name: "eth0" });
  }

  daemon(name: ProgramName, from: Program, config: string): Daemon {
    return new Daemon(name, from, this.node, config, [], CHECKS_AND_VRRP);
  }

  async ipvs(): Promise<Ipvs> {
    this.#ipvs ??= ready(await this.node.run(() => openIpvs()));
    return this.#ipvs;
  }

  /** Weights by real server's address; `undefined`: there is no such service. */
  async weights(target: ServiceTarget): Promise<ReadonlyMap<string, number> | undefined> {
    const { table } = ready(await (await this.ipvs()).read([target]));
    const entry = table.get(serviceKey(target));
    return entry && new Map(entry.destinations.map(({ address, weight }) => [address, weight]));
  }

  /** Looks each `everyMs`; answers when it was so, in milliseconds of performance.now(). */
  async until(
    target: ServiceTarget,
    met: (weights: ReadonlyMap<string, number>) => boolean,
    { everyMs, limitMs, log }: { everyMs: number; limitMs: number; log: () => string },
  ): Promise<number> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const weights = await this.weights(target);
      const now = performance.now();
      if (weights !== undefined && met(weights)) return now;
      if (now > deadline) {
        const seen = weights && JSON.stringify([...weights]);
        throw new Error(`not in ${limitMs} ms: ${seen}\n${withoutNews(log())}`);
      }
      await delay(everyMs);
    }
  }

  /** How many services and real servers there are, by ipvsadm's own count. */
  size(): number {
    return Number(this.node.exec("sh", ["-c", "ipvsadm --save --numeric | wc -l"]).stdout);
  }

  dispose(): void {
    this.#ipvs?.close();
    this.#lab.dispose();
  }
}

/** The end of a log, without what is said of each service. */
const withoutNews = (log: string): string =>
  log
    .split("\n")
    .filter((line) => !/quorum/i.test(line))
    .join("\n")
    .slice(-1_500);

function ready<Value>(value: Value | KernelError): Value {
  if (value instanceof KernelError) throw value;
  return value;
}
