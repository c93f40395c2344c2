import type { LabNode } from "../../agent/linux/lab/lab-node.ts";
import { eventually } from "../lab/eventually.ts";
import type { Program } from "../lab/pair.ts";
import { FrrDaemons, STARTED_MS } from "./frr-daemons.ts";

export interface FrrSettings {
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly priority: number;
  readonly intervalMs: number;
  /** With prefix length; an IPv6 router's first is its link-local one. */
  readonly addresses: readonly string[];
}

/**
 * FRR's zebra and vrrpd on a node of the lab, on its eth0. FRR has its addresses on a macvlan all
 * the time, and turns that off (protodown) while it is backup: ask who answers, not who has it.
 */
export class Frr implements Program {
  readonly node: LabNode;
  readonly #daemons: FrrDaemons;
  readonly #settings: FrrSettings;

  constructor(node: LabNode, settings: FrrSettings) {
    this.node = node;
    this.#settings = settings;
    this.#prepareLinks();
    this.#daemons = new FrrDaemons(node, configuration(settings));
  }

  get log(): string {
    return this.#daemons.log;
  }

  start(): Promise<void> {
    return this.#daemons.start("vrrpd", "show vrrp");
  }

  /** Shuts the router down and leaves the daemons: without them nobody would turn the macvlan off. */
  async stop(): Promise<void> {
    const { vrid } = this.#settings;
    this.#daemons.ask(
      "vrrpd",
      ...["configure terminal", "interface eth0", `vrrp ${vrid} shutdown`],
    );
    await eventually("vrrpd shuts the router down", STARTED_MS, () => {
      const said = this.#daemons.ask("vrrpd", "show vrrp");
      if (/Status.*(?:Master|Backup)/.test(said)) throw new Error(said);
    });
  }

  dispose(): void {
    this.#daemons.dispose();
  }

  #prepareLinks(): void {
    const { vrid, addresses } = this.#settings;
    const ip = (...args: readonly string[]): void => {
      const { status, stderr } = this.node.exec("ip", args);
      if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
    };
    const last = vrid.toString(16).padStart(2, "0");
    for (const family of [4, 6] as const) {
      const own = addresses.filter((address) => address.includes(":") === (family === 6));
      if (own.length === 0) continue;
      const [link, mac] = [`vrrp${family}`, `00:00:5e:00:0${family === 4 ? 1 : 2}:${last}`];
      // The virtual MAC makes no interface identifier: two routers would have one link-local.
      ip("link", "add", link, "link", "eth0", "type", "macvlan");
      ip("link", "set", link, "address", mac, "addrgenmode", "none");
      for (const address of own) {
        ip("address", "add", address, "dev", link, ...(family === 6 ? ["nodad"] : []));
      }
      // As FRR leaves it while it is backup; until it runs, nobody here is to answer.
      ip("link", "set", link, "up", "protodown", "on");
    }
    // Or eth0 would answer for the address of the macvlan that is off.
    this.node.sysctl("ipv4/conf/eth0/arp_ignore", "1");
    this.node.sysctl("ipv4/conf/eth0/rp_filter", "0");
    this.node.sysctl("ipv4/conf/all/rp_filter", "0");
  }
}

function configuration({ vrid, version, priority, intervalMs, addresses }: FrrSettings): string {
  const bare = addresses.map((address) => address.split("/")[0] ?? "");
  return `interface eth0
 vrrp ${vrid} version ${version}
 vrrp ${vrid} priority ${priority}
 vrrp ${vrid} advertisement-interval ${intervalMs}
${bare.map((address) => ` vrrp ${vrid} ${address.includes(":") ? "ipv6" : "ip"} ${address}\n`).join("")}`;
}
