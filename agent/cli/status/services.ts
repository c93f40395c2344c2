import type { RealServerStatus, ServiceStatus } from "../../control/protocol.ts";
import type { Style } from "../style.ts";
import type { Cell } from "../table.ts";
import { table } from "../table.ts";
import { duration } from "./duration.ts";
import type { Problem } from "./problem.ts";

const SERVERS = [
  "REAL SERVER",
  "STATE",
  "WEIGHT",
  "ACTIVE",
  "SINCE",
  "CHECKS (P50, P99)",
  "WHY",
] as const;
const SERVICES = ["SERVICE", "QUORUM", "WEIGHT", "REAL SERVERS", "NOTE"] as const;

/** With more of them, those that are well are only counted. */
const MOST_SERVICES = 30;

/** `holdfast services` for people: each virtual server with its real servers. */
export function renderServices(
  services: readonly ServiceStatus[],
  now: number,
  style: Style,
): string {
  if (services.length === 0) return "No virtual server is configured.\n";
  return services
    .map((service) => {
      const rows = service.realServers.map((server) => serverRow(server, now, style));
      const notes = service.refused.map((message) => `${style.bad("✗")} ${printable(message)}`);
      const lines = [titleOf(service, style), ...notes, ...table(SERVERS, rows, style.faint)];
      return `${lines.join("\n")}\n`;
    })
    .join("\n");
}

function titleOf(service: ServiceStatus, style: Style): string {
  const { name, targets, scheduler } = service;
  const [first] = targets;
  const more = targets.length > 1 ? `, ${targets.length} targets` : "";
  const where = first === undefined ? "" : `${first}${more}, `;
  const note = noteOf(service);
  const said = note === "" ? "" : `, ${style.caution(note)}`;
  return `${style.strong(name)}  ${where}${scheduler}, ${quorumText(service, style)}${said}`;
}

function quorumText({ quorum }: ServiceStatus, style: Style): string {
  const slack = quorum.hysteresis === 0 ? "" : ` ± ${quorum.hysteresis}`;
  const sum = `weight ${quorum.weight} of ${quorum.wanted}${slack}`;
  return quorum.up ? `${style.good("quorum")}: ${sum}` : `${style.bad("no quorum")}: ${sum}`;
}

/** What is out of the ordinary. */
function noteOf({ sorryServer, held, suspended, retiring }: ServiceStatus): string {
  const notes: string[] = [];
  if (sorryServer?.active === true) notes.push(`sorry server ${sorryServer.server} serves`);
  if (held > 0) notes.push(`${held} held after a mass failure`);
  if (suspended) notes.push("checks stand still (ha_suspend)");
  if (retiring) notes.push("removed, finishing its connections");
  return notes.join(", ");
}

function serverRow(server: RealServerStatus, now: number, style: Style): readonly Cell[] {
  const { state, since, connections, override, change } = server;
  const paint = PAINTS[state];
  const said = override === null || override.kind === "weight" ? [] : [OVERRIDES[override.kind]];
  const word = state === "up" && said.length > 0 ? said.join() : [state, ...said].join(", ");
  return [
    { text: server.server, paint: style.strong },
    {
      text: change?.kind === "added" ? `${word}, added` : word,
      paint: override === null && change === null ? style[paint] : style.caution,
    },
    { text: weightText(server) },
    { text: connections === null ? "" : String(connections.active) },
    { text: since === null ? "" : duration(now - since) },
    { text: checksText(server) },
    { text: whyText(server, now) },
  ];
}

const PAINTS = {
  up: "good",
  down: "bad",
  held: "caution",
  leaving: "faint",
  removed: "caution",
} as const;

const OVERRIDES = { drain: "drained", disable: "disabled" } as const;

/** What it has to have; where the kernel has something else, that too. */
function weightText({ weight, kernelWeight, configuredWeight }: RealServerStatus): string {
  const wanted = weight === null ? "out" : String(weight);
  const usual = weight === null || weight === configuredWeight ? "" : ` of ${configuredWeight}`;
  if (weight === kernelWeight) return wanted + usual;
  return `${wanted}${usual} (kernel: ${kernelWeight ?? "out"})`;
}

const checksText = ({ checks }: RealServerStatus): string =>
  checks
    .map(({ kind, lastMs, p50Ms, p99Ms }) => {
      if (lastMs === null) return kind;
      const lately =
        p50Ms === null || p99Ms === null ? "" : ` (${tenths(p50Ms)}, ${tenths(p99Ms)})`;
      return `${kind} ${tenths(lastMs)} ms${lately}`;
    })
    .join(", ");

const tenths = (ms: number): number => Math.round(ms * 10) / 10;

/** Who said so, first what was said last. */
function whyText(server: RealServerStatus, now: number): string {
  const { override, change, contributions } = server;
  const reason = reasonText(server);
  const said = override === null ? [] : [by(override, now)];
  if (change !== null) {
    const like = change.like === null ? "" : `, like ${change.like}`;
    said.push(`${override === null ? "" : `${change.kind} `}${by(change, now)}${like}`);
  }
  for (const { source, weight, since } of contributions) {
    const what = weight === null ? "taken out" : `weight ${weight}`;
    said.push(`${what} ${by({ who: source, at: since }, now)}`);
  }
  return [...said, ...(reason === "" ? [] : [printable(reason)])].join("; ");
}

/** What holds now: a server that is down for one reason may fail for another by now. */
function reasonText({ state, reason, checks }: RealServerStatus): string {
  const failing = checks.filter(({ failing, verdict }) => failing > 0 && verdict !== "unknown");
  const bad = failing.filter(({ verdict }) => (verdict === "up") === (state === "up"));
  const [first] = bad;
  if (first === undefined) return reason;
  const said = bad
    .map((one) => (checks.length > 1 ? `${one.kind}: ${one.reason}` : one.reason))
    .join(", ");
  if (state === "down") return said;
  if (state !== "up") return reason;
  const most = Math.max(...bad.map(({ failing }) => failing));
  const times = most === 1 ? "once" : `${most} times`;
  return `${reason === "" ? "" : `${reason}; `}failed ${times} so far: ${said}`;
}

const by = (order: { readonly who: string; readonly at: number }, now: number): string =>
  `by ${printable(order.who)}, ${duration(now - order.at)} ago`;

/** Services in `holdfast status`, with an empty line before. */
export function serviceLines(services: readonly ServiceStatus[], style: Style): readonly string[] {
  if (services.length === 0) return [];
  const shown = services.length <= MOST_SERVICES ? services : services.filter(needsAttention);
  const rest = services.length - shown.length;
  const rows = shown.map((service): readonly Cell[] => {
    const { name, quorum, realServers } = service;
    const up = realServers.filter(({ state }) => state === "up" || state === "held").length;
    return [
      { text: name, paint: style.strong },
      quorum.up ? { text: "yes", paint: style.good } : { text: "lost", paint: style.bad },
      { text: `${quorum.weight} of ${quorum.wanted}` },
      { text: `${up} of ${realServers.length} up` },
      { text: noteOf(service), paint: style.caution },
    ];
  });
  return [
    ...(rows.length === 0 ? [] : ["", ...table(SERVICES, rows, style.faint)]),
    ...(rest === 0
      ? []
      : ["", `${rest} ${rows.length === 0 ? "services are" : "further services are"} well.`]),
  ];
}

const needsAttention = (service: ServiceStatus): boolean =>
  !service.quorum.up || noteOf(service) !== "" || service.refused.length > 0;

/** What of load balancing needs a person. */
export function serviceProblems(
  services: readonly ServiceStatus[],
  ipvs: string | null,
): readonly Problem[] {
  const missing: readonly Problem[] =
    ipvs === null
      ? []
      : [{ subject: "ip_vs", problem: ipvs, next: "modprobe ip_vs, and look at the log" }];
  return [...missing, ...services.flatMap(problemsOfService)];
}

function problemsOfService(service: ServiceStatus): readonly Problem[] {
  const { name: subject, quorum, held, retiring, refused } = service;
  const problems: Problem[] = refused.map((message) => ({
    subject,
    problem: printable(message),
    next: "it is tried again; the log says what would help",
  }));
  if (!quorum.up && !retiring) {
    const problem = `it has no quorum: weight ${quorum.weight}, where ${quorum.wanted} is wanted`;
    problems.push({
      subject,
      problem,
      next: "holdfast services shows which real servers are down",
    });
  }
  if (held > 0) {
    const problem = `${held} real servers fell at once, and are held in the pool`;
    const next = "is this node's network whole? holdfast disable takes one out all the same";
    problems.push({ subject, problem, next });
  }
  return problems;
}

const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, 200);
