import { serviceKey } from "../../../../core/ipvs/service.ts";
import type { Position } from "../../../position.ts";
import type { BalancingConfig, VirtualServerConfig } from "../../../virtual-servers.ts";
import type { Statement } from "../../tree.ts";
import type { GlobalDraft } from "../global-keywords.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import { named } from "../named.ts";
import { NO_TIMING } from "./check-timing.ts";
import { reportReservedMarks } from "./data-path.ts";
import { linesOf } from "./lines.ts";
import { readTlsIdentity } from "./probe-tls.ts";
import { readSyncDaemon } from "./sync-daemon.ts";
import type { Groups } from "./targets.ts";
import { readGroup } from "./targets.ts";
import { readTimeouts } from "./timeouts.ts";
import { lowerVirtualServer } from "./virtual-server.ts";

type RootsOf = (name: string) => readonly Statement[];

/** What the file says of load balancing. Trackers must be lowered before: checks name their files. */
export function lowerBalancing(
  rootsOf: RootsOf,
  global: GlobalDraft,
  instances: ReadonlyMap<string, number>,
  lowering: Lowering,
): BalancingConfig {
  const { statements, switches } = global;
  const on = (name: string): boolean => switches.get(name) ?? false;
  const flushAtStop = statements.get("lvs_flush_on_stop") ?? statements.get("lvs_flush_onstop");
  const syncDaemon = readSyncDaemon(
    statements.get("lvs_sync_daemon"),
    rootsOf("vrrp_instance"),
    instances,
    lowering,
  );
  const around = {
    groups: readGroups(rootsOf, lowering),
    timing: { ...NO_TIMING, logAllFailures: switches.get("checker_log_all_failures") },
    identity: readTlsIdentity(rootsOf("SSL").at(-1)),
    sessions: readSessions(rootsOf("bfd_instance")),
    mail: switches.get("smtp_alert_checker") ?? switches.get("smtp_alert"),
    syncs: syncDaemon !== undefined,
    apart: statements.has("net_namespace_ipvs"),
  };
  const servers = rootsOf("virtual_server").flatMap(
    (statement) => lowerVirtualServer(statement, around, lowering) ?? [],
  );
  reportReservedMarks(servers, lowering);
  return {
    virtualServers: withoutDuplicates(servers, lowering),
    timeouts: readTimeouts(statements.get("lvs_timeouts"), lowering),
    syncDaemon,
    flushAtStart: on("lvs_flush"),
    // With VS, each service is removed by itself, as Holdfast does in any case.
    flushAtStop: flushAtStop !== undefined && flushAtStop.words[0]?.text !== "VS",
    notifyAtStart: on("rs_init_notifies"),
    ...readNamespace(statements.get("net_namespace_ipvs")),
  };
}

const readNamespace = (statement: Statement | undefined): Pick<BalancingConfig, "ipvsNamespace"> =>
  statement === undefined ? {} : { ipvsNamespace: statement.words[0]?.text ?? "" };

/** Names of the bfd_instances, without those that are for virtual routers only. */
function readSessions(statements: readonly Statement[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const statement of statements) {
    const lines = linesOf(statement);
    const name = statement.words[0]?.text;
    if (name !== undefined && (lines.has("checker") || !lines.has("vrrp"))) names.add(name);
  }
  return names;
}

function readGroups(rootsOf: RootsOf, lowering: Lowering): Groups {
  return new Map(
    named(rootsOf("virtual_server_group"), lowering).map(({ name, statement }) => [
      name.text,
      readGroup(name, statement, lowering),
    ]),
  );
}

/** Each traffic has one virtual server: the kernel would mix the servers of two. */
function withoutDuplicates(
  servers: readonly VirtualServerConfig[],
  lowering: Lowering,
): readonly VirtualServerConfig[] {
  const first = new Map<string, Position>();
  return servers.flatMap((server) => {
    const { protocol, position, name } = server;
    const targets = server.targets.filter((target) => {
      const key = serviceKey(target.kind === "address" ? { ...target, protocol } : target);
      const before = first.get(key);
      if (before === undefined) {
        first.set(key, position);
        return true;
      }
      const at = { text: name, position, quoted: false };
      const message = `${key} belongs to the virtual server at ${before.file}:${before.line} already`;
      report(lowering, "virtual-server-duplicate", at, message, "put the real servers into one");
      return false;
    });
    if (targets.length === server.targets.length) return [server];
    return targets.length === 0 ? [] : [{ ...server, targets }];
  });
}
