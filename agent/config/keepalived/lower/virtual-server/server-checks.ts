import type { Micros } from "../../../../core/time.ts";
import { seconds } from "../../../../core/time.ts";
import { trackerId } from "../../../../core/track/tracking.ts";
import type { ProbeConfig, ProbeEndpoint, ServerCheckConfig } from "../../../virtual-servers.ts";
import type { Statement, Word } from "../../tree.ts";
import { readCommand } from "../command.ts";
import type { Lowering } from "../lowering.ts";
import { report } from "../lowering.ts";
import { readTrackerWeight } from "../tracker-weight.ts";
import type { TimingDraft } from "./check-timing.ts";
import { completeTiming, NO_TIMING, readTiming } from "./check-timing.ts";
import type { HttpSurroundings } from "./http-probe.ts";
import { readHttpProbe } from "./http-probe.ts";
import type { Lines } from "./lines.ts";
import { linesOf, secondsOf, switchOf } from "./lines.ts";
import { readDnsProbe, readSmtpProbe, readUdpProbe } from "./plain-probes.ts";
import { readEndpoint, usable } from "./probe-endpoint.ts";
import { readTcpProbe } from "./tcp-probe.ts";

/** The real server that checks look at, and what they inherit. */
export interface CheckedServer extends HttpSurroundings {
  readonly name: string;
  readonly endpoint: ProbeEndpoint;
  readonly timing: TimingDraft;
  /** delay_loop of the virtual server: how long a program may take. */
  readonly interval: Micros | undefined;
  /** Names of the bfd_instances that servers may look at. */
  readonly sessions: ReadonlySet<string>;
}

interface CheckBlock {
  readonly statement: Statement;
  readonly lines: Lines;
  readonly server: CheckedServer;
  readonly lowering: Lowering;
}

type ReadCheck = (block: CheckBlock) => readonly ServerCheckConfig[];
type ReadProbe = (block: CheckBlock, to: ProbeEndpoint) => ProbeConfig | undefined;

const READERS: ReadonlyMap<string, ReadCheck> = new Map(
  Object.entries({
    BFD_CHECK: bfdCheck,
    DNS_CHECK: networked(({ lines, lowering }, to) => readDnsProbe(lines, to, lowering)),
    FILE_CHECK: fileChecks,
    HTTP_GET: networked(httpProbe),
    MISC_CHECK: miscCheck,
    PING_CHECK: networked((_, to) => ({ kind: "ping", to })),
    SMTP_CHECK: smtpChecks,
    SSL_GET: networked(httpProbe),
    TCP_CHECK: networked(({ statement, lines, server, lowering }, to) =>
      readTcpProbe(statement, lines, to, server, lowering),
    ),
    UDP_CHECK: networked(({ statement, lines, lowering }, to) =>
      readUdpProbe(statement, lines, to, lowering),
    ),
    holdfast_check: policyCheck,
  }),
);

/** Every check of a real server, in the order of the file. */
export function readChecks(
  block: readonly Statement[],
  server: CheckedServer,
  lowering: Lowering,
): readonly ServerCheckConfig[] {
  const checks: ServerCheckConfig[] = [];
  for (const statement of block) {
    const read = READERS.get(statement.keyword.text);
    if (read === undefined) continue;
    checks.push(...read({ statement, lines: linesOf(statement), server, lowering }));
  }
  return checks;
}

/** A check that goes to an address. */
function networked(read: ReadProbe): ReadCheck {
  return (block) => {
    const { statement, lines, server, lowering } = block;
    const to = readEndpoint(lines, server.endpoint, lowering);
    if (!usable(statement, to, statement.keyword.text !== "PING_CHECK", lowering)) return [];
    const probe = read(block, to);
    if (probe === undefined) return [];
    return [checkOf(statement, readTiming(lines, server.timing, 0, lowering), probe)];
  };
}

const checkOf = (
  { keyword }: Statement,
  timing: TimingDraft,
  probe: ProbeConfig,
): ServerCheckConfig => ({
  position: keyword.position,
  timing: completeTiming(timing, keyword.text),
  probe,
});

function httpProbe(block: CheckBlock, to: ProbeEndpoint): ProbeConfig | undefined {
  const { statement, lines, server, lowering } = block;
  return readHttpProbe(statement, lines, to, server, lowering);
}

/** Each host block is a check of its own, which has what stands around it; then that is none itself. */
function smtpChecks({
  statement,
  lines,
  server,
  lowering,
}: CheckBlock): readonly ServerCheckConfig[] {
  const outer = readEndpoint(lines, server.endpoint, lowering);
  const timing = readTiming(lines, server.timing, 0, lowering);
  const hosts = (statement.block ?? []).filter(({ keyword }) => keyword.text === "host");
  const targets = hosts.map((host) => {
    const own = linesOf(host);
    return {
      to: readEndpoint(own, outer, lowering),
      timing: readTiming(own, timing, 0, lowering),
    };
  });
  return (hosts.length > 0 ? targets : [{ to: outer, timing }])
    .filter(({ to }) => usable(statement, to, true, lowering))
    .map((each) => checkOf(statement, each.timing, readSmtpProbe(lines, each.to)));
}

const PROGRAM_TIME = { low: 0, high: 4294 };
const DEFAULT_INTERVAL = seconds(60);

function miscCheck({
  statement,
  lines,
  server,
  lowering,
}: CheckBlock): readonly ServerCheckConfig[] {
  const at = lines.get("misc_path")?.words[0];
  if (at === undefined) return incomplete(statement, "misc_path COMMAND", lowering);
  const outcome = readCommand(
    {
      at,
      user: lines.get("user")?.words ?? [],
      owner: `MISC_CHECK of ${server.name}`,
      otherwise: "it counts as failed",
    },
    lowering,
  );
  const timeout =
    secondsOf(lines, "misc_timeout", PROGRAM_TIME, lowering) ||
    (server.interval ?? DEFAULT_INTERVAL);
  const timing = { ...readTiming(lines, server.timing, 0, lowering), timeout };
  if (!outcome.ok) return [checkOf(statement, timing, { kind: "refused", reason: outcome.reason })];
  const dynamic = switchOf(lines, "misc_dynamic", lowering) ?? false;
  return [checkOf(statement, timing, { kind: "misc", command: outcome.command, timeout, dynamic })];
}

const WEIGHT_LIMIT = 2_147_483_647;

/** Each file that is named is a check of its own. */
function fileChecks({
  statement,
  lines,
  server,
  lowering,
}: CheckBlock): readonly ServerCheckConfig[] {
  const names = (statement.block ?? [])
    .filter(({ keyword }) => keyword.text === "track_file")
    .flatMap(({ words }) => words);
  if (names.length === 0) return incomplete(statement, "track_file NAME", lowering);
  return names.flatMap((name) => {
    const tracker = lowering.trackers.get(trackerId("file", name.text));
    if (tracker === undefined) return unknown(name, "track_file", lowering);
    tracker.used = true;
    if (tracker.config === undefined) return [];
    const line = lines.get("weight");
    const { weight: otherwise } = tracker.config;
    const said = readTrackerWeight(line, { limit: WEIGHT_LIMIT, otherwise }, lowering);
    const reverse = line === undefined ? tracker.config.reverse : said.reverse;
    const probe = { kind: "file", file: name.text, weight: said.weight, reverse } as const;
    return [checkOf(statement, server.timing, probe)];
  });
}

function bfdCheck({
  statement,
  lines,
  server,
  lowering,
}: CheckBlock): readonly ServerCheckConfig[] {
  const name = lines.get("name")?.words[0];
  if (name === undefined) return incomplete(statement, "name BFD_INSTANCE", lowering);
  if (!server.sessions.has(name.text)) return unknown(name, "bfd_instance", lowering);
  const timing = readTiming(lines, server.timing, 0, lowering);
  return [checkOf(statement, timing, { kind: "bfd", session: name.text })];
}

const POLICY = /^policy:([\w.-]+)\/([\w.-]+)$/;

/** holdfast_check "policy:NAME/CHECK": when it looks is the policy's own to say. */
function policyCheck({ statement, server, lowering }: CheckBlock): readonly ServerCheckConfig[] {
  const [word] = statement.words;
  if (word === undefined) return [];
  const [, policy, check] = POLICY.exec(word.text) ?? [];
  if (policy === undefined || check === undefined) {
    const message = `"${word.text}" names no check of a policy, so the server could never be good`;
    report(lowering, "check-invalid", word, message, 'write holdfast_check "policy:NAME/CHECK"');
    return [];
  }
  const { startsDown, logAllFailures } = server.timing;
  const timing = { ...NO_TIMING, startsDown, logAllFailures };
  const found = checkOf(statement, timing, { kind: "policy", policy, check });
  return [{ ...found, position: word.position }];
}

function incomplete({ keyword }: Statement, form: string, lowering: Lowering): readonly [] {
  const message = `${keyword.text} has no ${form.slice(0, form.indexOf(" "))}, so it looks at nothing`;
  report(lowering, "check-invalid", keyword, message, `write ${form} in it`);
  return [];
}

function unknown(name: Word, kind: string, lowering: Lowering): readonly [] {
  const message = `there is no ${kind} ${name.text}; the server would count as good without it`;
  report(lowering, "check-invalid", name, message, `write ${kind} ${name.text} { … }`);
  return [];
}
