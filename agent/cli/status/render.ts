import type { ProcessStatus, Status } from "../../control/protocol.ts";
import type { PeerSnapshot, RouterSnapshot } from "../../core/vrrp/snapshot.ts";
import type { Style } from "../style.ts";
import type { Cell } from "../table.ts";
import { table } from "../table.ts";
import { bfdLines } from "./bfd.ts";
import { directorLines } from "./director.ts";
import { duration, localTime } from "./duration.ts";
import { fencingText } from "./fencing.ts";
import { mandateText } from "./mandate.ts";
import { problemsOf } from "./problems.ts";
import { storeLines } from "./store.ts";
import { reasonOf } from "./words.ts";

/** `holdfast status` for people: what is wrong first, then who holds what and why. */
export function renderStatus(status: Status, hostName: string, now: number, style: Style): string {
  const problems = problemsOf(status, now);
  const routers =
    status.routers.length === 0
      ? [
          status.current
            ? "No virtual router is configured."
            : "Nothing is known of virtual routers yet.",
        ]
      : table(
          HEADING,
          status.routers.map((router) => routerRow(router, status.current, now, style)),
          style.faint,
        );
  const peers = status.routers.flatMap((router) =>
    router.peers.map((peer) => peerRow(router, peer, now, style)),
  );
  return [
    ...header(status, hostName, now, style),
    ...(problems.length === 0
      ? []
      : ["", ...problems.flatMap((advice) => problemLines(advice, style))]),
    "",
    ...routers,
    ...(peers.length === 0 ? [] : ["", ...table(PEER_HEADING, peers, style.faint)]),
    ...storeLines(status.store, now, style),
    ...bfdLines(status.bfd, now, style),
    ...directorLines(status.director, now, style),
    "",
  ].join("\n");
}

function header(status: Status, hostName: string, now: number, style: Style): readonly string[] {
  const { configuration, processes } = status;
  const loaded = `loaded ${localTime(configuration.loadedAt)}`;
  const warnings =
    configuration.warnings === 0
      ? ""
      : `, ${style.caution(count(configuration.warnings, "warning"))} (holdfast check)`;
  return [
    `${style.strong(hostName)}  Holdfast ${status.version}, Node ${status.node}`,
    `${configuration.file}, ${loaded}${warnings}`,
    (["supervisor", "vrrp", "director", "witness"] as const)
      .flatMap((name) => {
        const process = processes[name];
        return process === undefined ? [] : `${name} ${processText(process, now)}`;
      })
      .join(" · "),
  ];
}

function processText(process: ProcessStatus, now: number): string {
  if (process.pid === null) return "not running";
  const up = process.startedAt === null ? "" : `, up ${duration(now - process.startedAt)}`;
  const restarts = process.restarts === 0 ? "" : `, ${count(process.restarts, "restart")}`;
  return `${process.pid}${up}${restarts}`;
}

function problemLines(
  problem: { readonly subject: string; readonly problem: string; readonly next: string },
  style: Style,
): readonly string[] {
  return [
    `${style.bad("✗")} ${style.strong(problem.subject)}: ${problem.problem}`,
    `  → ${problem.next}`,
  ];
}

const HEADING = [
  "ROUTER",
  "STATE",
  "PRIORITY",
  "INTERFACE",
  "VRID",
  "ADDRESSES",
  "SINCE",
  "REASON",
] as const;

/** Of a process that does not answer, what it last said: its leases may be over. */
function routerRow(
  router: RouterSnapshot,
  current: boolean,
  now: number,
  style: Style,
): readonly Cell[] {
  const last = router.lastTransition;
  return [
    { text: router.name, paint: style.strong },
    current
      ? { text: router.state, paint: paintState(router, style) }
      : { text: `${router.state}, stale`, paint: style.caution },
    { text: priorityText(router) },
    { text: router.interface ?? "any" },
    { text: String(router.vrid) },
    { text: addressesText(router) },
    { text: last === null ? "" : duration(now - last.at) },
    { text: current ? reasonText(router) : reasonOf(router) },
  ];
}

function paintState(router: RouterSnapshot, style: Style): (text: string) => string {
  switch (router.state) {
    case "active":
      return style.good;
    case "fault":
      return style.bad;
    case "initialize":
      return style.caution;
    case "backup":
      return (text) => text;
  }
}

/** `145 = 150 − 5 (track_interface eth1)`; only the number where nothing contributes. */
export function priorityText(router: RouterSnapshot): string {
  const { base, effective, contributions } = router.priority;
  const parts = contributions.filter((part) => part.weight !== 0);
  if (parts.length === 0) return String(effective);
  const lines = parts.map((part) => {
    const sign = part.weight < 0 ? "−" : "+";
    return `${sign} ${Math.abs(part.weight)} ${part.source}`;
  });
  return [`${effective} = ${base}`, ...lines].join("\n  ");
}

/** Each on its own line; after three, the number of the others. */
function addressesText(router: RouterSnapshot): string {
  const shown = router.addresses.slice(0, 3).map((entry) => {
    const there = router.state === "active" && !entry.installed ? " MISSING" : "";
    return `${entry.address}/${entry.prefixLength}${there}`;
  });
  const more = router.addresses.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

function reasonText(router: RouterSnapshot): string {
  return [reasonOf(router), activeText(router), fencingText(router), mandateText(router)]
    .filter((line) => line !== "")
    .join("\n");
}

function activeText({ state, active, peers }: RouterSnapshot): string {
  if (state !== "backup" || active === null) return "";
  const { address, priority } = active;
  const resigned = peers.some((peer) => peer.address === address && peer.priority === 0);
  return resigned ? `${address} resigned` : `active: ${address}, priority ${priority}`;
}

const PEER_HEADING = ["PEER", "OF", "PRIORITY", "INTERVAL", "LAST HEARD", "NOTE"] as const;

function peerRow(
  router: RouterSnapshot,
  peer: PeerSnapshot,
  now: number,
  style: Style,
): readonly Cell[] {
  return [
    { text: peer.address },
    { text: router.name },
    { text: String(peer.priority) },
    { text: `${peer.advertisementInterval / 1_000_000} s` },
    { text: `${duration(now - peer.lastHeardAt)} ago` },
    { text: peer.sameAddresses ? "" : "other addresses", paint: style.caution },
  ];
}

const count = (number: number, noun: string): string =>
  `${number} ${noun}${number === 1 ? "" : "s"}`;
