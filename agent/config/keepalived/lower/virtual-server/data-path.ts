import type { IpAddress } from "../../../../core/address.ts";
import { familyOf } from "../../../../core/address.ts";
import type { Position } from "../../../position.ts";
import type {
  RealServerConfig,
  ServerCheckConfig,
  VirtualServerConfig,
} from "../../../virtual-servers.ts";
import { DATA_PATH_MARKS } from "../../../virtual-servers.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import type { Lines } from "./lines.ts";
import { switchOf } from "./lines.ts";
import type { TargetsDraft } from "./targets.ts";

const WORD = "holdfast_data_path";
/** A check for each of them is more than a real server should bear. */
const MOST_ADDRESSES = 16;

export interface DataPathRules {
  readonly lines: Lines;
  readonly targets: TargetsDraft;
  /** ip_vs is in another namespace than checks are. */
  readonly apart: boolean;
}

/** With holdfast_data_path: the same servers, whose checks look at each virtual address in turn. */
export function overDataPath(
  { lines, targets: { name, targets }, apart }: DataPathRules,
  servers: readonly RealServerConfig[],
  lowering: Lowering,
): readonly RealServerConfig[] {
  const line = lines.get(WORD);
  if (line === undefined || switchOf(lines, WORD, lowering) !== true) return servers;
  const refuse = (why: string, hint: string): readonly RealServerConfig[] => {
    const message = `${why}: its checks look at the real servers' own addresses`;
    report(lowering, "data-path-refused", line.keyword, message, hint);
    return servers;
  };
  if (apart) {
    const hint = `remove ${WORD}, or net_namespace_ipvs`;
    return refuse("with net_namespace_ipvs no check comes by its data path", hint);
  }
  if (targets.some(({ kind }) => kind === "fwmark")) {
    return refuse(`${name} is for a mark, and has no address to connect to`, `remove ${WORD}`);
  }
  const addresses = new Set(
    targets.flatMap((each) => (each.kind === "address" ? [each.address] : [])),
  );
  if (addresses.size > MOST_ADDRESSES) {
    const why = `${name} has ${addresses.size} addresses, and each would be a check of its own`;
    return refuse(why, `make groups of at most ${MOST_ADDRESSES} addresses`);
  }
  return servers.map((server) => {
    const family = familyOf(server.address);
    const fitting = [...addresses].filter((each) => familyOf(each) === family);
    if (!isReachable(server, fitting, lowering)) return server;
    return {
      ...server,
      checks: server.checks.flatMap((each) => over(each, server, fitting, lowering)),
    };
  });
}

function isReachable(
  { address, forwarding, position, checks }: RealServerConfig,
  virtualAddresses: readonly IpAddress[],
  lowering: Lowering,
): boolean {
  const refuse = (why: string, hint: string): false => {
    const message = `${why}: it is checked at its own address`;
    report(lowering, "data-path-refused", position, message, hint);
    return false;
  };
  if (forwarding.kind === "nat") {
    return refuse(
      `${address} stands behind NAT, which ${WORD} is not for`,
      "write lvs_method DR or TUN",
    );
  }
  if (virtualAddresses.length > 0 || checks.length === 0) return true;
  const why = `${address} is of another family than the virtual address, and ${WORD} gets no answer from it`;
  return refuse(why, "use a server of the same family");
}

/** Pings, programs and the like have no port that ip_vs would know; connect_ip says where else to look. */
function over(
  check: ServerCheckConfig,
  { address: server, forwarding }: RealServerConfig,
  virtualAddresses: readonly IpAddress[],
  lowering: Lowering,
): readonly ServerCheckConfig[] {
  const { probe, position } = check;
  if (!("to" in probe) || probe.kind === "ping" || probe.to.address !== server) return [check];
  const { to } = probe;
  if (to.fwmark !== 0) {
    const message = `its fwmark cannot stand beside that of ${WORD}: it looks at ${server} itself`;
    report(lowering, "data-path-refused", position, message, "remove fwmark from this check");
    return [check];
  }
  const dataPath = { server, forwarding };
  return virtualAddresses.map((address) => ({
    ...check,
    probe: { ...probe, to: { ...to, address, dataPath } },
  }));
}

/** Where there are data paths: marks of the file that theirs could be taken for. */
export function reportReservedMarks(
  servers: readonly VirtualServerConfig[],
  lowering: Lowering,
): void {
  if (!servers.some(hasDataPath)) return;
  const { first, last } = DATA_PATH_MARKS;
  for (const [mark, at] of servers.flatMap(marksOf)) {
    if (mark < first || mark > last) continue;
    const message = `${WORD} takes the marks from ${first} to ${last}, and this one is ${mark}`;
    report(lowering, "mark-reserved", at, message, "write another mark");
  }
}

type Marked = readonly [mark: number, at: Position];

const marksOf = ({ targets, realServers, position }: VirtualServerConfig): readonly Marked[] => [
  ...targets.flatMap((each): Marked[] => (each.kind === "fwmark" ? [[each.fwmark, position]] : [])),
  ...realServers.flatMap(({ checks }) =>
    checks.flatMap(({ probe, position: at }): Marked[] =>
      "to" in probe ? [[probe.to.fwmark, at]] : [],
    ),
  ),
];

const hasDataPath = ({ realServers }: VirtualServerConfig): boolean =>
  realServers.some(({ checks }) =>
    checks.some(({ probe }) => "to" in probe && probe.to.dataPath !== undefined),
  );
