import type { IpAddress } from "../../core/address.ts";
import type { HeardRouter, HostFacts } from "../../ports/host-facts.ts";
import type { AgentPresence, Case } from "./case.ts";
import type { Finding } from "./finding.ts";
import { ok, problem, warning } from "./finding.ts";
import type { NeededRouter } from "./needs.ts";

/** Rules about other routers, and about addresses that should not be here. */
export const examineNeighbours = (subject: Case): readonly Finding[] => [
  ...subject.needs.routers.flatMap((router) => vridOf(router, subject)),
  ...foreign(subject),
  ...leftovers(subject),
];

const sameSegment = (router: NeededRouter, heard: HeardRouter): boolean =>
  heard.vrid === router.vrid &&
  heard.family === router.family &&
  (router.interface === undefined || heard.interface === router.interface);

function vridOf(router: NeededRouter, { facts }: Case): readonly Finding[] {
  const rule = "vrid";
  const heard = facts.heard.filter((candidate) => sameSegment(router, candidate));
  const strangers = heard.filter((candidate) => !sameAddresses(router, candidate));
  const findings: Finding[] = strangers.map((stranger) =>
    problem(
      rule,
      `${stranger.source} uses VRID ${router.vrid} on ${stranger.interface} for other addresses ` +
        `(${stranger.addresses.join(", ") || "none"}) than ${router.name}`,
      "another pair: choose a free virtual_router_id. The same pair: make the addresses equal",
    ),
  );
  const peers = heard.filter((candidate) => sameAddresses(router, candidate));
  if (peers.length > 1) {
    findings.push(
      problem(
        rule,
        `${peers.map((peer) => peer.source).join(" and ")} both advertise ${router.name}: ` +
          "two nodes are active",
        "they do not hear each other: run holdfast doctor on both",
      ),
    );
  }
  const [peer, another] = peers;
  if (peer !== undefined && another === undefined) {
    const text = `${peer.source} holds ${router.name} with priority ${peer.priority}`;
    findings.push(ok(rule, text));
  }
  return findings;
}

function sameAddresses(router: NeededRouter, heard: HeardRouter): boolean {
  const ours = new Set<IpAddress>(router.addresses.map(({ address }) => address));
  return heard.addresses.length === ours.size && heard.addresses.every((each) => ours.has(each));
}

/** Routers that have nothing to do with this configuration: which VRIDs are taken. */
function foreign({ facts, needs }: Case): readonly Finding[] {
  const others = facts.heard.filter(
    (heard) => !needs.routers.some((router) => sameSegment(router, heard)),
  );
  return others.map((heard) =>
    ok("vrid", `VRID ${heard.vrid} on ${heard.interface} is taken by ${heard.source}`),
  );
}

/** An address of the configuration on a host whose agent is gone, or hangs, answers beside the active one. */
function leftovers({ facts, needs, agent }: Case): readonly Finding[] {
  if (agent === "answers") return [];
  const managed = facts.keepalivedProcesses.length > 0;
  const findings = needs.routers
    .filter((router) => !router.owner)
    .flatMap((router) =>
      router.addresses.flatMap(({ address, prefixLength }) =>
        facts.addresses
          .filter((present) => present.address === address)
          .map((present) => leftover(router.name, { ...present, prefixLength }, agent, managed)),
      ),
    );
  return findings.length === 0 && needs.routers.length > 0
    ? [ok("leftover", "no address of the configuration was left on this host")]
    : findings;
}

function leftover(
  router: string,
  present: HostFacts["addresses"][number] & { readonly prefixLength: number },
  agent: AgentPresence,
  managed: boolean,
): Finding {
  const { address, prefixLength, interface: name, ours } = present;
  const text = `${address} of ${router} is on ${name}`;
  const removal = `ip address del ${address}/${prefixLength} dev ${name}`;
  if (ours || agent === "silent") {
    const [whose, next] =
      agent === "silent"
        ? ["and its agent does not answer", "systemctl stop holdfast, then holdfast withdraw"]
        : ["left by an agent that was killed", "holdfast withdraw, or start the agent again"];
    const risk = "both nodes may answer, unless its gate has shut";
    return problem("leftover", `${text}, ${whose}: ${risk}`, next);
  }
  return managed
    ? warning("leftover", `${text}; keepalived may have put it there`, removal)
    : problem("leftover", `${text}, yet no agent runs here: both nodes may answer`, removal);
}
