import type {
  ProbeConfig,
  ProbeEndpoint,
  RealServerConfig,
  ServerCheckConfig,
  VirtualServerConfig,
} from "../../config/virtual-servers.ts";
import type { IpAddress } from "../../core/address.ts";
import { familyOf } from "../../core/address.ts";
import { destinationKey, endpointText, familyOfService } from "../../core/ipvs/service.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import type { Endpoint } from "./server-reference.ts";
import { targetsOf } from "./service-targets.ts";

const PLACE: ReadonlySet<string> = new Set(["position"]);

/** Where a real server is that comes beside the file, and what of it was said. */
export interface Newcomer {
  readonly address: IpAddress;
  readonly port: number;
  /** `undefined`: as its model. */
  readonly weight: number | undefined;
}

/**
 * As the model in all but its place; what of the model's checks looks at the model looks at it. BFD
 * sessions are between two hosts: that of the model says nothing of it.
 */
export function newcomerLike(model: RealServerConfig, newcomer: Newcomer): RealServerConfig {
  const { address, port, weight = model.weight } = newcomer;
  const checks = model.checks
    .filter(({ probe }) => probe.kind !== "bfd")
    .map((check): ServerCheckConfig => ({ ...check, probe: moved(check.probe, model, newcomer) }));
  return { ...model, address, port, weight, checks, name: nameLike(model, newcomer) };
}

/** `[10.0.0.9]:tcp:80`. */
const nameLike = ({ name }: RealServerConfig, { address, port }: Newcomer): string =>
  `[${address}]:${name.split(":").at(-2) ?? "none"}:${port}`;

/** Where there is no model: what a virtual server gives its real servers, and no check. */
export function newcomerAlone(
  { position, targets, protocol, sorryServer, mail }: VirtualServerConfig,
  { address, port, weight = 1 }: Newcomer,
): RealServerConfig {
  const word = targets.some(({ kind }) => kind === "address") ? protocol : "none";
  return {
    position,
    name: `[${address}]:${word}:${port}`,
    ...{ address, port, weight, mail },
    forwarding: sorryServer?.forwarding ?? { kind: "nat" },
    ...{ upperThreshold: 0, lowerThreshold: 0, inhibitOnFailure: false },
    ...{ notifyUp: undefined, notifyDown: undefined, checks: [] },
  };
}

function moved(probe: ProbeConfig, model: RealServerConfig, newcomer: Newcomer): ProbeConfig {
  if ("to" in probe) return { ...probe, to: movedEndpoint(probe.to, model, newcomer) };
  if (probe.kind !== "misc") return probe;
  const { address, port } = newcomer;
  const words = new Map<string, string>([
    [model.address, address],
    [`[${model.address}]`, `[${address}]`],
    [destinationKey(model), endpointText(address, port)],
    [model.name, nameLike(model, newcomer)],
  ]);
  const argv = probe.command.argv.map((word) => words.get(word) ?? word);
  return { ...probe, command: { ...probe.command, argv } };
}

function movedEndpoint(
  to: ProbeEndpoint,
  model: RealServerConfig,
  { address, port }: Newcomer,
): ProbeEndpoint {
  const fits = familyOf(address) === familyOf(model.address);
  const { dataPath, ...direct } = to;
  if (dataPath?.server === model.address) {
    // To one of the other family there is none.
    return fits ? { ...to, dataPath: { ...dataPath, server: address } } : { ...direct, address };
  }
  if (to.address !== model.address) return to;
  return {
    ...to,
    address,
    port: to.port === model.port ? port : to.port,
    sourceAddress: fits ? to.sourceAddress : undefined,
  };
}

/** What of its checks is the model's still, or is not there: a line each. */
export function notesOn(
  server: RealServerConfig,
  model: RealServerConfig | undefined,
): readonly string[] {
  const other = model && destinationKey(model);
  const notes = (model?.checks ?? []).flatMap(({ probe }) =>
    probe.kind === "bfd" ? [`BFD session ${probe.session} is that of ${other}: it has none`] : [],
  );
  for (const { probe } of server.checks) {
    const shared = sharedWith(model, probe);
    if (shared !== undefined) notes.push(`${shared}, as ${other} does`);
  }
  if (server.checks.length > 0) return notes;
  return [...notes, "it has no check: it counts as up, whatever happens to it"];
}

/** What it looks at is not the real server itself. */
function sharedWith(model: RealServerConfig | undefined, probe: ProbeConfig): string | undefined {
  const same = (): boolean =>
    model?.checks.some((each) => plainEqual(each.probe, probe, PLACE)) === true;
  switch (probe.kind) {
    case "file":
      return `it goes by the file ${probe.file}`;
    case "policy":
      return `it goes by the policy ${probe.policy}`;
    case "misc":
      return same() ? `it goes by ${probe.command.argv.join(" ")}` : undefined;
    case "bfd":
    case "refused":
      return undefined;
    default: {
      const { address, port } = probe.to;
      return same() ? `its ${probe.kind} check looks at ${endpointText(address, port)}` : undefined;
    }
  }
}

/** The port that it gets where none is said. */
export const usualPort = (
  { targets: [target] }: VirtualServerConfig,
  model: RealServerConfig | undefined,
): number => model?.port ?? (target?.kind === "address" ? target.port : 0);

/** Why the kernel would never send it a packet; `undefined`: it would. */
export function misfit(
  config: VirtualServerConfig,
  { address, port }: Endpoint,
  { forwarding }: Pick<RealServerConfig, "forwarding">,
): string | undefined {
  const family = familyOf(address);
  const targets = targetsOf(config);
  const reached = targets.some((target) => familyOfService(target) === family);
  if (!reached && forwarding.kind !== "tunnel") {
    const [own, other] = family === "ipv4" ? ["IPv4", "IPv6"] : ["IPv6", "IPv4"];
    return (
      `${address} is ${own}, and ${config.name} is for ${other}: only a tunnel gets there; ` +
      `add its ${other} address, or --like a real server with lvs_method TUN`
    );
  }
  const [target] = targets;
  if (targets.length !== 1 || target === undefined || forwarding.kind === "nat") return undefined;
  const served = target.kind === "address" ? target.port : 0;
  if (port === undefined || port === served) return undefined;
  const instead = served === 0 ? "the port that they came for" : `port ${served}`;
  return (
    `packets reach ${address} at ${instead}, not ${port}: only NAT changes it; ` +
    "leave the port out"
  );
}
