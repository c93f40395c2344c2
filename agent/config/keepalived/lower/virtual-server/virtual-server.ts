import type { Family } from "../../../../core/address.ts";
import { familyOf } from "../../../../core/address.ts";
import type { Forwarding, ServiceProtocol } from "../../../../core/ipvs/service.ts";
import { seconds } from "../../../../core/time.ts";
import type {
  PoolServer,
  RealServerConfig,
  VirtualServerConfig,
} from "../../../virtual-servers.ts";
import type { Statement } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { TimingDraft } from "./check-timing.ts";
import { readTiming } from "./check-timing.ts";
import { overDataPath } from "./data-path.ts";
import { NAT, readForwarding } from "./forwarding.ts";
import type { Lines } from "./lines.ts";
import { linesOf, secondsOf, switchOf, textOf, wholeOf } from "./lines.ts";
import { granularityFamily, readPersistence } from "./persistence.ts";
import { fitServer, Pool } from "./pool.ts";
import type { TlsIdentity } from "./probe-tls.ts";
import { readQuorum } from "./quorum.ts";
import type { ServerDefaults } from "./real-server.ts";
import { readNotifyCommand, readRealServer, readServerAddress, serverName } from "./real-server.ts";
import { readSchedulerFlags, schedulerOf } from "./scheduler.ts";
import type { Groups, TargetsDraft } from "./targets.ts";
import { FAMILIES, familiesOf, readTargets } from "./targets.ts";

/** What the whole file says for every virtual server. */
export interface VirtualServerSurroundings {
  readonly groups: Groups;
  readonly timing: TimingDraft;
  readonly identity: TlsIdentity;
  /** Names of the bfd_instances. */
  readonly sessions: ReadonlySet<string>;
  /** smtp_alert_checker or smtp_alert, where one is written. */
  readonly mail: boolean | undefined;
  /** lvs_sync_daemon is written. */
  readonly syncs: boolean;
  /** net_namespace_ipvs is written: ip_vs sees nothing of what checks send. */
  readonly apart: boolean;
}

/** One virtual_server as it is read, before its servers are. */
interface Draft {
  readonly statement: Statement;
  readonly lines: Lines;
  readonly targets: TargetsDraft;
  readonly protocol: ServiceProtocol;
  readonly forwarding: Forwarding;
}

interface WrittenServers {
  readonly real: readonly RealServerConfig[];
  readonly sorry: PoolServer | undefined;
}

const WEIGHT = { low: 0, high: 2_147_483_647 };
const DAY = { low: 0, high: 86_400 };

/** `undefined`: nothing could come of it, which is said. */
export function lowerVirtualServer(
  statement: Statement,
  around: VirtualServerSurroundings,
  lowering: Lowering,
): VirtualServerConfig | undefined {
  const targets = readTargets(statement, around.groups, lowering);
  if (targets === undefined || targets.targets.length === 0) return undefined;
  const lines = linesOf(statement);
  const protocol = readProtocol(lines, targets, lowering);
  const method = lines.get("lvs_method") ?? lines.get("lb_kind");
  const forwarding = readForwarding(method, lowering) ?? NAT;
  const draft = { statement, lines, targets, protocol, forwarding };
  const written = readServers(draft, around, lowering);
  const families = settleFamilies(draft, written, lowering);
  const rules = { targets, families, syncs: around.syncs };
  const pool = new Pool<RealServerConfig>();
  for (const server of written.real) {
    const at = { text: server.address, position: server.position, quoted: false };
    const fitted = fitServer(server, at, rules, lowering);
    if (fitted === undefined) continue;
    const named =
      fitted === server ? server : { ...fitted, name: serverName(fitted, protocolName(draft)) };
    pool.add(named, at, targets.name, lowering);
  }
  const line = lines.get("sorry_server");
  const at = line?.words[0];
  const sorryServer = at && written.sorry && fitServer(written.sorry, at, rules, lowering);
  return complete(draft, families, { real: pool.servers, sorry: sorryServer }, around, lowering);
}

function readServers(
  { statement, lines, targets, forwarding, protocol }: Draft,
  around: VirtualServerSurroundings,
  lowering: Lowering,
): WrittenServers {
  const ports = new Set(targets.targets.map((each) => (each.kind === "address" ? each.port : 0)));
  const [port = 0] = ports;
  const timing = readTiming(lines, around.timing, 1, lowering);
  const defaults: ServerDefaults = {
    forwarding,
    weight: wholeOf(lines, "weight", WEIGHT, lowering) ?? 1,
    inhibitOnFailure: switchOf(lines, "inhibit_on_failure", lowering) ?? false,
    mail: around.mail ?? true,
    timing,
    interval: timing.interval,
    host: textOf(lines, "virtualhost"),
    protocol: protocolName({ targets, protocol }),
    port: ports.size === 1 ? port : 0,
    identity: around.identity,
    sessions: around.sessions,
  };
  const real: RealServerConfig[] = [];
  for (const line of statement.block ?? []) {
    if (line.keyword.text !== "real_server") continue;
    const server = readRealServer(line, defaults, lowering);
    if (server !== undefined) real.push(server);
  }
  const line = lines.get("sorry_server");
  const said = line && readServerAddress(line, lowering);
  const method = readForwarding(lines.get("sorry_server_lvs_method"), lowering) ?? forwarding;
  return { real, sorry: said && { ...said, forwarding: method } };
}

/** As keepalived names it; with marks only there is none. */
const protocolName = ({ targets, protocol }: Pick<Draft, "targets" | "protocol">): string =>
  targets.targets.some(({ kind }) => kind === "address") ? protocol : "none";

const PROTOCOLS: ReadonlyMap<string, ServiceProtocol> = new Map([
  ["TCP", "tcp"],
  ["UDP", "udp"],
  ["SCTP", "sctp"],
]);

function readProtocol(
  lines: Lines,
  { name, at, targets }: TargetsDraft,
  lowering: Lowering,
): ServiceProtocol {
  const word = lines.get("protocol")?.words[0];
  const said = word && PROTOCOLS.get(word.text.toUpperCase());
  const marks = targets.every(({ kind }) => kind === "fwmark");
  if (marks && word !== undefined) {
    const message = `${name} is for packets with a mark, of whichever protocol`;
    report(lowering, "setting-ignored", word, message, "remove the line");
  }
  if (!marks && said === undefined) {
    const message = `${name} has no protocol, and so serves UDP`;
    report(lowering, "protocol-missing", at, message, "write protocol TCP in it");
  }
  return said ?? "udp";
}

/**
 * The families that its targets are of. Marks have none: as with keepalived they get that of the servers
 * that no tunnel leads to, then that of them all, then IPv4.
 */
function settleFamilies(
  { lines, targets: { at, name, targets } }: Draft,
  { real, sorry }: WrittenServers,
  lowering: Lowering,
): ReadonlySet<Family> {
  const line = lines.get("ip_family")?.words[0];
  const said = line && FAMILIES.get(line.text);
  const families = familiesOf(targets);
  if (line !== undefined && said !== undefined && families.size > 0 && !families.has(said)) {
    const message = `${name} is of the other family by its address`;
    report(lowering, "setting-ignored", line, message, "remove the line");
  }
  if (families.size > 0) return families;
  const servers = sorry === undefined ? real : [...real, sorry];
  const fixed = servers.find(({ forwarding }) => forwarding.kind !== "tunnel") ?? servers[0];
  const common = fixed && familyOf(fixed.address);
  const mixed =
    fixed?.forwarding.kind === "tunnel" &&
    servers.some((each) => familyOf(each.address) !== common);
  if (mixed && said === undefined) {
    const message = `servers of both families stand behind ${name}, which is for IPv4 then`;
    report(lowering, "server-family", at, message, "write ip_family inet or inet6 in it");
  }
  return new Set([said ?? granularityFamily(lines) ?? (mixed ? undefined : common) ?? "ipv4"]);
}

function complete(
  draft: Draft,
  families: ReadonlySet<Family>,
  { real, sorry }: WrittenServers,
  around: VirtualServerSurroundings,
  lowering: Lowering,
): VirtualServerConfig | undefined {
  const { statement, lines, targets, protocol } = draft;
  const { at, name } = targets;
  if (!reportEmpty(draft, real, lowering)) return undefined;
  const on = (word: string) => switchOf(lines, word, lowering);
  const [family = "ipv4"] = families;
  const persistence = readPersistence(lines, family, portMissing(draft, lowering), lowering);
  const named = protocolName(draft);
  const port = targets.kind === "address" ? `:${portOf(targets)}` : "";
  const fullName = targets.kind === "fwmark" ? name : `${name}:${named}${port}`;
  const command = (word: string) => readNotifyCommand(statement, word, fullName, lowering);
  const span = (word: string) => secondsOf(lines, word, DAY, lowering) ?? seconds(0);
  return {
    position: at.position,
    name: fullName,
    targets: targets.targets.map((target) =>
      target.kind === "fwmark" ? { ...target, family: target.family ?? family } : target,
    ),
    protocol,
    scheduler: schedulerOf(lines),
    schedulerFlags: readSchedulerFlags(lines, lowering),
    onePacket: readOnePacket(draft, persistence !== undefined, lowering),
    persistence,
    ...readQuorum(lines, real, lowering),
    quorumUp: command("quorum_up"),
    quorumDown: command("quorum_down"),
    sorryServer: sorry,
    sorryServerInhibit: on("sorry_server_inhibit") ?? false,
    omega: on("omega") ?? false,
    haSuspend: readSuspension(draft, lowering),
    mail: on("smtp_alert") ?? around.mail ?? false,
    drainTime: span("holdfast_drain"),
    slowStart: span("holdfast_slow_start"),
    panicThreshold: wholeOf(lines, "holdfast_panic", { low: 0, high: 100 }, lowering) ?? 0,
    realServers: overDataPath({ lines, targets, apart: around.apart }, real, lowering),
  };
}

const portOf = ({ targets: [target] }: TargetsDraft): number =>
  target?.kind === "address" ? target.port : 0;

/** Answers whether it has a server at all. */
function reportEmpty(
  { targets: { at, name } }: Draft,
  real: readonly RealServerConfig[],
  lowering: Lowering,
): boolean {
  if (real.length === 0) {
    const message = `${name} has no real server, and is left out`;
    report(lowering, "pool-empty", at, message, "write real_server ADDRESS PORT { … } in it");
  } else if (real.every(({ weight }) => weight === 0)) {
    const message = `every real server of ${name} has weight 0: none gets a connection`;
    report(lowering, "pool-empty", at, message, "write weight 1 or more in one of them");
  }
  return real.length > 0;
}

/** The kernel serves all ports to clients that stay with their server only. */
function portMissing({ lines, targets }: Draft, lowering: Lowering): boolean {
  const missing = targets.targets.some((each) => each.kind === "address" && each.port === 0);
  const line = lines.get("persistence_timeout");
  if (!missing || (line !== undefined && line.words[0]?.text !== "0")) return missing;
  const message = `${targets.name} has no port: it takes all of them, and is made persistent for that`;
  const hint = "write a port after the address, or persistence_timeout SECONDS";
  report(lowering, "port-missing", targets.at, message, hint);
  return true;
}

function readOnePacket(
  { lines, targets: { name, targets }, protocol }: Draft,
  persistent: boolean,
  lowering: Lowering,
): boolean {
  const at = lines.get("ops")?.keyword;
  if (at === undefined || switchOf(lines, "ops", lowering) !== true) return false;
  if (protocol !== "udp" && targets.some(({ kind }) => kind === "address")) {
    const message = `ops is for UDP; ${name} is for ${protocol.toUpperCase()}`;
    report(lowering, "setting-ignored", at, message, "remove the line");
    return false;
  }
  if (persistent) {
    const message = "ops spreads packets, and persistence sends all of a client's to one server";
    report(lowering, "setting-ignored", at, message, "remove ops, or what asks for persistence");
  }
  return true;
}

function readSuspension({ lines, targets: { name, targets } }: Draft, lowering: Lowering): boolean {
  const at = lines.get("ha_suspend")?.keyword;
  if (at === undefined || switchOf(lines, "ha_suspend", lowering) !== true) return false;
  if (targets.every(({ kind }) => kind === "address")) return true;
  const message = `ha_suspend looks for addresses, and ${name} is for marks`;
  report(lowering, "setting-ignored", at, message, "remove the line");
  return false;
}
