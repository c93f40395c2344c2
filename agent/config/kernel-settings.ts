import type { IpAddress } from "../core/address.ts";
import { familyOf } from "../core/address.ts";
import { familyOfService } from "../core/ipvs/service.ts";
import type { Config } from "./config.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { diagnose } from "./diagnostic-codes.ts";
import type { Position } from "./position.ts";
import type { BalancingConfig, RealServerConfig, VirtualServerConfig } from "./virtual-servers.ts";

// What of the kernel's own settings goes against a configuration of load balancing. Source:
// Documentation/networking/ipvs-sysctl.rst and ip_vs_core.c of Linux.

/** The settings as they are in one network namespace. */
export interface KernelSettings {
  /** `6.1.0-18-amd64`. */
  readonly release: string;
  /** By the sysctl's name with dots; missing where the kernel has none such. */
  readonly values: Readonly<Record<string, string>>;
  /** The packet filter has a rule that masquerades, as far as its modules say. */
  readonly masquerades: boolean;
}

/** Settings that are looked at. */
export const KERNEL_SETTINGS = [
  "net.ipv4.ip_forward",
  "net.ipv6.conf.all.forwarding",
  "net.ipv4.vs.backup_only",
  "net.ipv4.vs.conn_reuse_mode",
  "net.ipv4.vs.conntrack",
  "net.ipv4.vs.expire_nodest_conn",
  "net.ipv4.vs.expire_quiescent_template",
  "net.ipv4.vs.sloppy_tcp",
] as const;

type Setting = (typeof KERNEL_SETTINGS)[number];

/** What of the rest of the file matters here. */
export interface BalancingNode {
  readonly balancing: BalancingConfig;
  /** The virtual addresses move: there are vrrp_instances. */
  readonly failsOver: boolean;
  /** Addresses of the directors, this one's and its peers', where the file says them. */
  readonly directors: readonly IpAddress[];
}

export const balancingNodeOf = ({ balancing, instances }: Config): BalancingNode => ({
  balancing,
  failsOver: instances.length > 0,
  directors: instances.flatMap(({ sourceAddress, transport }) => [
    ...(sourceAddress === undefined ? [] : [sourceAddress]),
    ...(transport.mode === "unicast" ? transport.peers.map(({ address }) => address) : []),
  ]),
});

/** A setting that does not fit. */
export interface UnfitSetting {
  readonly setting: Setting;
  readonly value: string;
  readonly position: Position;
  /** What it causes: `net.ipv4.ip_forward is 0: …`. */
  readonly message: string;
  /** The command that mends it. */
  readonly mend: string;
}

/** All that do not fit; where a setting means nothing for this configuration it is not among them. */
export const unfitSettings = (
  node: BalancingNode,
  settings: KernelSettings,
): readonly UnfitSetting[] => RULES.flatMap((rule) => rule(node, settings) ?? []);

export const settingDiagnostics = (unfit: readonly UnfitSetting[]): readonly Diagnostic[] =>
  unfit.map(({ position, message, mend }) =>
    diagnose("kernel-setting", position, "", message, `run ${mend}`),
  );

type Rule = (node: BalancingNode, settings: KernelSettings) => UnfitSetting | undefined;

/** One setting, what it should be, and whom what it is harms. */
interface Matter {
  readonly setting: Setting;
  /** Values that do harm. */
  readonly when: (value: number, settings: KernelSettings) => boolean;
  readonly wanted: number;
  readonly harmed: (server: VirtualServerConfig, node: BalancingNode) => boolean;
  /** What it causes, with the name of the first that is harmed. */
  readonly harm: (name: string) => string;
}

/** A rule that is about virtual servers: the finding is at the first of those that are harmed. */
const rule =
  ({ setting, when, wanted, harmed, harm }: Matter): Rule =>
  (node, settings) => {
    const value = settings.values[setting];
    if (value === undefined || !when(Number(value), settings)) return undefined;
    const all = node.balancing.virtualServers.filter((server) => harmed(server, node));
    const [first] = all;
    if (first === undefined) return undefined;
    const name = all.length === 1 ? first.name : `${first.name} and ${all.length - 1} more`;
    const { position } = first;
    return found(setting, value, position, harm(name), wanted);
  };

const found = (
  setting: Setting,
  value: string,
  position: Position,
  harm: string,
  wanted: number,
): UnfitSetting => {
  const message = `${setting} is ${value}: ${harm}`;
  return { setting, value, position, message, mend: `sysctl -w ${setting}=${wanted}` };
};

const off = (value: number): boolean => value === 0;

const isNat = ({ forwarding }: RealServerConfig): boolean => forwarding.kind === "nat";

/** A failure takes it out of the kernel's table. */
const isTakenOut = ({ checks, inhibitOnFailure }: RealServerConfig): boolean =>
  checks.length > 0 && !inhibitOnFailure;

/** It may be in the table with weight 0. */
const isQuiesced = ({ drainTime, realServers }: VirtualServerConfig): boolean =>
  drainTime > 0 || realServers.some((real) => real.inhibitOnFailure && real.checks.length > 0);

const takesTcp = ({ protocol, targets }: VirtualServerConfig): boolean =>
  protocol === "tcp" || targets.some(({ kind }) => kind === "fwmark");

const forwardsNat = (family: "ipv4" | "ipv6", setting: Setting): Rule =>
  rule({
    setting,
    when: off,
    wanted: 1,
    harmed: ({ realServers, targets, protocol }) =>
      realServers.some((real) => isNat(real) && familyOf(real.address) === family) &&
      targets.some(
        (target) =>
          familyOfService(target.kind === "fwmark" ? target : { ...target, protocol }) === family,
      ),
    harm: (name) => `clients of ${name} get no answer, as this host does not forward it (NAT)`,
  });

/** Before 5.9 a port that is used again cost its client a second where connections are tracked. */
const REUSE_MENDED = [5, 9] as const;

function isBefore(release: string, [major, minor]: readonly [number, number]): boolean {
  const [, own = "0", second = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(own) < major || (Number(own) === major && Number(second) < minor);
}

const delaysReuse = ({ release, values }: KernelSettings): boolean =>
  Number(values["net.ipv4.vs.conntrack"] ?? 0) !== 0 && isBefore(release, REUSE_MENDED);

/** Schedulers that choose the same real server for the same client on every director. */
const HASHES: ReadonlySet<string> = new Set(["sh", "mh"]);

const RULES: readonly Rule[] = [
  forwardsNat("ipv4", "net.ipv4.ip_forward"),
  forwardsNat("ipv6", "net.ipv6.conf.all.forwarding"),
  rule({
    setting: "net.ipv4.vs.conntrack",
    when: (value, { masquerades }) => value === 0 && masquerades,
    wanted: 1,
    harmed: ({ realServers }) => realServers.some(isNat),
    harm: (name) =>
      `the packet filter does not masquerade connections of ${name} (NAT), and a real server whose way ` +
      "back is not through this host answers past it",
  }),
  rule({
    setting: "net.ipv4.vs.expire_nodest_conn",
    when: off,
    wanted: 1,
    harmed: ({ realServers }) => realServers.some(isTakenOut),
    harm: (name) =>
      `when a real server of ${name} fails, packets of its open connections are dropped without a word, ` +
      "and clients wait until they give up",
  }),
  rule({
    setting: "net.ipv4.vs.expire_quiescent_template",
    when: off,
    wanted: 1,
    harmed: (server) => server.persistence !== undefined && isQuiesced(server),
    harm: (name) =>
      `clients that ${name} keeps with a real server (persistence_timeout) go on to it when it has weight 0`,
  }),
  rule({
    setting: "net.ipv4.vs.conn_reuse_mode",
    when: (value, settings) => value !== 0 && delaysReuse(settings),
    wanted: 0,
    harmed: takesTcp,
    harm: (name) =>
      `with net.ipv4.vs.conntrack, and before Linux 5.9, a client of ${name} that uses a port again ` +
      "waits a second",
  }),
  rule({
    setting: "net.ipv4.vs.conn_reuse_mode",
    when: (value, settings) =>
      value === 0 &&
      !delaysReuse(settings) &&
      Number(settings.values["net.ipv4.vs.expire_nodest_conn"] ?? 0) === 0,
    wanted: 1,
    harmed: (server) => takesTcp(server) && isQuiesced(server),
    harm: (name) =>
      `a client of ${name} that uses a port again comes to the same real server, also when it has weight 0`,
  }),
  rule({
    setting: "net.ipv4.vs.sloppy_tcp",
    when: off,
    wanted: 1,
    harmed: (server, { failsOver, balancing }) =>
      failsOver &&
      balancing.syncDaemon === undefined &&
      HASHES.has(server.scheduler) &&
      takesTcp(server),
    harm: (name) =>
      `after a failover open connections of ${name} are reset, though its scheduler would send them to ` +
      "the same real servers",
  }),
  goesRound,
  balancesNothing,
];

/** A director that is a real server too balances once more what the other one sent it. */
function goesRound(node: BalancingNode, { values }: KernelSettings): UnfitSetting | undefined {
  const { syncDaemon, virtualServers } = node.balancing;
  const value = values["net.ipv4.vs.backup_only"];
  if (syncDaemon?.instance === undefined || value !== "0") return undefined;
  const directors = new Set<string>(node.directors);
  const all = virtualServers.flatMap(({ realServers }) => realServers);
  const both = all.find((real) => !isNat(real) && directors.has(real.address));
  if (both === undefined) return undefined;
  const harm =
    `${both.address} is a director and a real server: packets that the active director sends to the ` +
    "backup are balanced there once more, and may go round between them";
  return found("net.ipv4.vs.backup_only", value, syncDaemon.position, harm, 1);
}

function balancesNothing(
  node: BalancingNode,
  { values }: KernelSettings,
): UnfitSetting | undefined {
  const { syncDaemon } = node.balancing;
  const value = values["net.ipv4.vs.backup_only"] ?? "0";
  if (syncDaemon === undefined || syncDaemon.instance !== undefined || value === "0")
    return undefined;
  const harm =
    "lvs_sync_daemon without an instance always runs as backup too, and a backup balances nothing then";
  return found("net.ipv4.vs.backup_only", value, syncDaemon.position, harm, 0);
}
