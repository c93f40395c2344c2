import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { release } from "node:os";
import type { Family, IpAddress } from "../core/address.ts";
import { isLinkLocal } from "../core/address.ts";
import type {
  CollectHostFacts,
  ConfinementFacts,
  HostFacts,
  InterfaceFacts,
  KernelFeature,
  MulticastProbe,
} from "../ports/host-facts.ts";
import type { HostAddress, Link } from "../ports/network.ts";
import { probeMulticast } from "./multicast-probe.ts";
import { openNetwork } from "./netlink/network.ts";
import { listenForRouters } from "./router-listener.ts";
import { readSysctl } from "./sysctl.ts";

/** Looks at this machine. What cannot be known is left out; nothing here throws for a lack of rights. */
export const collectHostFacts: CollectHostFacts = async ({ interfaces, listenMs, confined }) => {
  const network = await openNetwork();
  const links = interfaces.flatMap((name) => network.linkByName(name) ?? []);
  const usable = links.filter(({ up }) => up);
  const hostAddresses = [...network.links().values()].flatMap((link) =>
    network.addresses(link.index).map((each) => ({ ...each, interface: link.name })),
  );
  network.close();
  const probes: MulticastProbe[] = [];
  for (const link of usable) {
    for (const family of ["ipv4", "ipv6"] as const) {
      const source = sourceOn(link, family, hostAddresses);
      probes.push(await probeMulticast(link, family, source));
    }
  }
  return {
    kernel: release(),
    capabilities: capabilities(),
    userNamespace: inUserNamespace(),
    selinux: selinux(),
    features: features(),
    clockSource: text("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    interfaces: interfaces.map((name) => linkFacts(name, links)),
    addresses: hostAddresses.map(({ address, interface: name, ours }) => ({
      address,
      interface: name,
      ours,
    })),
    sysctls: sysctls(interfaces),
    keepalivedProcesses: processesNamed("keepalived"),
    confined: confinement(confined),
    heard: await listenForRouters(usable, listenMs),
    probes,
  };
};

const CAP_NET_ADMIN = 12n;
const CAP_NET_RAW = 13n;

function capabilities(): HostFacts["capabilities"] {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(text("/proc/self/status") ?? "")?.[1] ?? "0";
  const has = (bit: bigint): boolean => ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
  return { netAdmin: has(CAP_NET_ADMIN), netRaw: has(CAP_NET_RAW) };
}

/** The machine's own namespace maps all 2³² − 1 users onto themselves. user_namespaces(7). */
const inUserNamespace = (): boolean =>
  !/^\s*0\s+0\s+4294967295\s*$/.test(text("/proc/self/uid_map") ?? "0 0 4294967295");

function selinux(): HostFacts["selinux"] {
  const enforce = text("/sys/fs/selinux/enforce");
  if (enforce === undefined) return "absent";
  return enforce === "1" ? "enforcing" : "permissive";
}

const FEATURES: Readonly<Record<KernelFeature, string>> = {
  macvlan: "macvlan",
  nf_tables: "nf_tables",
  ip_vs: "ip_vs",
};

/** Loaded, built in, or a module that can be loaded. Without a list of modules nothing is known. */
function features(): HostFacts["features"] {
  const folder = `/lib/modules/${release()}`;
  const lists = [text(`${folder}/modules.builtin`), text(`${folder}/modules.dep`)];
  const listed = lists.some((list) => list !== undefined);
  const known = (name: string): boolean | undefined => {
    if (text(`/sys/module/${name}/uevent`) !== undefined || loaded(name)) return true;
    if (lists.some((list) => list?.includes(`/${name}.ko`))) return true;
    return listed ? false : undefined;
  };
  return {
    macvlan: known(FEATURES.macvlan),
    nf_tables: known(FEATURES.nf_tables),
    ip_vs: known(FEATURES.ip_vs),
  };
}

const loaded = (name: string): boolean =>
  new RegExp(`^${name} `, "m").test(text("/proc/modules") ?? "");

function linkFacts(name: string, links: readonly Link[]): InterfaceFacts {
  const link = links.find((each) => each.name === name);
  return {
    name,
    present: link !== undefined,
    up: link?.up === true,
    carrier: link?.running === true,
  };
}

/** What an advertisement would be sent from. RFC 9568 §5.1.1.1, §5.1.2.1. */
const sourceOn = (
  link: Link,
  family: Family,
  addresses: readonly HostAddress[],
): IpAddress | undefined =>
  addresses.find(
    (each) =>
      each.interfaceIndex === link.index &&
      each.family === family &&
      (family === "ipv4" || isLinkLocal(each.address)),
  )?.address;

const GLOBAL_SYSCTLS = [
  "net.ipv4.ip_forward",
  "net.ipv6.conf.all.forwarding",
  "net.ipv4.ip_nonlocal_bind",
  "net.ipv6.ip_nonlocal_bind",
] as const;
const INTERFACE_SYSCTLS = [
  "rp_filter",
  "arp_ignore",
  "arp_announce",
  "promote_secondaries",
] as const;

function sysctls(interfaces: readonly string[]): HostFacts["sysctls"] {
  const named: Record<string, string> = {};
  const read = (name: string, path: string): void => {
    const value = readSysctl(path);
    if (value !== undefined) named[name] = value;
  };
  for (const name of GLOBAL_SYSCTLS) read(name, name);
  for (const link of ["all", ...interfaces]) {
    for (const key of INTERFACE_SYSCTLS) {
      read(`net.ipv4.conf.${link}.${key}`, `net/ipv4/conf/${link}/${key}`);
    }
  }
  return named;
}

/** Those of this network namespace: another one's set no address here. */
function processesNamed(name: string): readonly number[] {
  const own = networkOf("self");
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && text(`/proc/${entry}/comm`) === name)
    .filter((entry) => networkOf(entry) === own)
    .map(Number);
}

function confinement(pids: Readonly<Record<string, number>>): readonly ConfinementFacts[] {
  return Object.entries(pids).flatMap(([name, pid]) => {
    const status = text(`/proc/${pid}/status`);
    if (status === undefined) return [];
    return [{ name, pid, holds: /^NoNewPrivs:\s*1$/m.test(status) && FILTERED.test(status) }];
  });
}

/** SECCOMP_MODE_FILTER. */
const FILTERED = /^Seccomp:\s*2$/m;

/** `undefined`: gone, or not for us to know. */
function networkOf(process: string): string | undefined {
  try {
    return readlinkSync(`/proc/${process}/ns/net`);
  } catch {
    return undefined;
  }
}

/** A small file without its line end; `undefined`: not there, or not for us. */
function text(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trimEnd();
  } catch {
    return undefined;
  }
}
