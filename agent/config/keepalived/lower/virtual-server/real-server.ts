import { parseAddress } from "../../../../core/address.ts";
import type { Forwarding } from "../../../../core/ipvs/service.ts";
import type { Micros } from "../../../../core/time.ts";
import type { CommandConfig } from "../../../trackers.ts";
import type { PoolServer, RealServerConfig } from "../../../virtual-servers.ts";
import type { Statement, Word } from "../../tree.ts";
import { readCommand } from "../command.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { TimingDraft } from "./check-timing.ts";
import { readTiming } from "./check-timing.ts";
import { readForwarding } from "./forwarding.ts";
import { linesOf, switchOf, textOf, wholeOf } from "./lines.ts";
import { endpointAt } from "./probe-endpoint.ts";
import type { TlsIdentity } from "./probe-tls.ts";
import { readChecks } from "./server-checks.ts";
import { readPort } from "./targets.ts";

/** What the virtual server around it, and the whole file, say for a real server. */
export interface ServerDefaults {
  readonly forwarding: Forwarding;
  readonly weight: number;
  readonly inhibitOnFailure: boolean;
  readonly mail: boolean;
  readonly timing: TimingDraft;
  readonly interval: Micros | undefined;
  readonly host: string | undefined;
  /** `tcp`; `none` with marks only. */
  readonly protocol: string;
  /** The port that checks look at where none is written: the virtual server's. */
  readonly port: number;
  readonly identity: TlsIdentity;
  readonly sessions: ReadonlySet<string>;
}

const WEIGHT = { low: 0, high: 2_147_483_647 };

/** `ADDRESS [PORT]` after real_server or sorry_server; `undefined`: none is there, which is said. */
export function readServerAddress(
  { keyword, words: [at, second] }: Statement,
  lowering: Lowering,
): Pick<PoolServer, "address" | "port"> | undefined {
  const refuse = (where: Word, message: string): undefined => {
    const hint = `write ${keyword.text} ADDRESS PORT`;
    report(lowering, "virtual-server-invalid", where, message, hint);
  };
  const address = parseAddress(at?.text ?? "");
  if (at === undefined) return refuse(keyword, `${keyword.text} has no address`);
  if (address === undefined) return refuse(at, `"${at.text}" is no address`);
  const port = readPort(second);
  if (port === undefined) return refuse(second ?? at, `"${second?.text}" is no port`);
  return { address, port };
}

/** A real server as it is written: whether it fits its pool is not looked at. */
export function readRealServer(
  statement: Statement,
  defaults: ServerDefaults,
  lowering: Lowering,
): RealServerConfig | undefined {
  const said = readServerAddress(statement, lowering);
  if (said === undefined) return undefined;
  const { address, port } = said;
  const lines = linesOf(statement);
  const checked = port === 0 ? defaults.port : port;
  const name = serverName(said, defaults.protocol);
  const timing = readTiming(lines, defaults.timing, 1, lowering);
  const host = textOf(lines, "virtualhost") ?? defaults.host;
  const { identity, sessions, interval } = defaults;
  const server = { name, endpoint: endpointAt(address, checked), timing, interval, host, identity };
  const on = (word: string) => switchOf(lines, word, lowering);
  const threshold = (word: string) => wholeOf(lines, word, WEIGHT, lowering) ?? 0;
  return {
    position: statement.words[0]?.position ?? statement.keyword.position,
    name,
    address,
    port,
    forwarding: readForwarding(lines.get("lvs_method"), lowering) ?? defaults.forwarding,
    weight: wholeOf(lines, "weight", WEIGHT, lowering) ?? defaults.weight,
    upperThreshold: threshold("uthreshold"),
    lowerThreshold: threshold("lthreshold"),
    inhibitOnFailure: on("inhibit_on_failure") ?? defaults.inhibitOnFailure,
    notifyUp: readNotifyCommand(statement, "notify_up", name, lowering),
    notifyDown: readNotifyCommand(statement, "notify_down", name, lowering),
    mail: on("smtp_alert") ?? defaults.mail,
    checks: readChecks(statement.block ?? [], { ...server, sessions }, lowering),
  };
}

/** `[192.0.2.10]:tcp:80`. */
export const serverName = (
  { address, port }: Pick<PoolServer, "address" | "port">,
  protocol: string,
): string => `[${address}]:${protocol}:${port}`;

/** notify_up, quorum_down and their like: as in keepalived, the first one counts. */
export function readNotifyCommand(
  { block = [] }: Statement,
  keyword: string,
  owner: string,
  lowering: Lowering,
): CommandConfig | undefined {
  const line = block.find((each) => each.keyword.text === keyword);
  const [at, ...user] = line?.words ?? [];
  if (at === undefined) return undefined;
  const source = { at, user, owner: `${keyword} of ${owner}`, otherwise: "it will not run" };
  const outcome = readCommand(source, lowering);
  return outcome.ok ? outcome.command : undefined;
}
