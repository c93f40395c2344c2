import { hostname } from "node:os";
import { resolve } from "node:path";
import { noSettings } from "../../config/settings.ts";
import { requestStatus } from "../../control/client.ts";
import type { Status } from "../../control/protocol.ts";
import type { DryRunReport } from "../../policy/dry-run-report.ts";
import type { ParsedArguments } from "../arguments.ts";
import type { CommandContext } from "../command.ts";
import { DEFAULT_CONTROL } from "../command.ts";
import { EXIT } from "../exit-status.ts";
import { textOf } from "../run-options.ts";
import type { Style } from "../style.ts";
import { styleFor } from "../style.ts";
import { table } from "../table.ts";
import { settingsFile } from "./policies.ts";

/** Lets each check of a policy look at this host once, and shows what would come of it. */
export async function runPolicy(context: CommandContext): Promise<number> {
  const { terminal, host } = context;
  const { operands, options } = context.arguments;
  const file = settingsFile(context.arguments);
  const [loaded, status] = await Promise.all([
    host.loadSettings(file),
    statusOf(context.arguments),
  ]);
  const report = await host.runPolicy({
    file: resolve(operands[0] ?? ""),
    settings: loaded?.settings ?? noSettings(file),
    node: status?.routerId ?? hostname(),
    routers: status?.routers ?? [],
    services: status?.director?.services ?? [],
  });
  if (options.has("json")) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else terminal.out(reportText(report, status, file, styleFor(terminal.color)));
  if (report.problems.length > 0) return EXIT.refused;
  const well = report.checks.every(({ result }) => result === "good" || result === "skipped");
  return well ? EXIT.ok : EXIT.failed;
}

/** What the agent says of its routers; `undefined`: none runs here. */
async function statusOf(parsed: ParsedArguments): Promise<Status | undefined> {
  try {
    return await requestStatus(textOf(parsed, "control") ?? DEFAULT_CONTROL);
  } catch {
    return undefined;
  }
}

const WORDS = { good: "up", bad: "down", skipped: "skipped", failed: "failed" } as const;

function reportText(
  report: DryRunReport,
  status: Status | undefined,
  settings: string,
  style: Style,
): string {
  const { policy, problems, checks, ungranted } = report;
  if (problems.length > 0) {
    return `${[...problems, style.bad(`${policy} cannot run`)].join("\n")}\n`;
  }
  const rows = checks.map(({ name, result, reason, milliseconds }) => [
    { text: name, paint: style.strong },
    { text: WORDS[result], paint: result === "good" ? style.good : style.bad },
    { text: `${milliseconds} ms`, paint: style.faint },
    { text: reason },
  ]);
  const lacking = ungranted.map((line) => `  ${line}`);
  return [
    ...(rows.length === 0
      ? ["no checks, and no service here whose weights it decides"]
      : table(["check", "found", "took", ""], rows, style.faint)),
    ...sections(report, status, style),
    ...(lacking.length === 0 ? [] : ["", `not granted in ${settings}:`, ...lacking]),
    "",
    `${policy}: each looked once; nothing was sent, and nothing has moved`,
    "",
  ].join("\n");
}

/** What would come of it; what is empty is left out. */
function sections(
  { claims, weights, said }: DryRunReport,
  status: Status | undefined,
  style: Style,
): readonly string[] {
  const would = claims.map(({ router, source, weight, reason }) => [
    { text: router, paint: style.strong },
    { text: weight === null ? "fault" : effectText(router, weight, status), paint: style.caution },
    { text: source },
    { text: reason },
  ]);
  const weighed = weights.map(({ service, server, weight, configured }) => [
    { text: service, paint: style.strong },
    { text: server },
    { text: weight === configured ? String(weight) : `${weight} of ${configured}` },
  ]);
  const told = said.map(({ kind, to, text }) => [{ text: kind }, { text: to }, { text }]);
  return [
    ...(would.length === 0
      ? []
      : ["", ...table(["router", "would", "by", ""], would, style.faint)]),
    ...(weighed.length === 0
      ? []
      : ["", ...table(["service", "real server", "would have weight"], weighed, style.faint)]),
    ...(told.length === 0 ? [] : ["", ...table(["said", "to", ""], told, style.faint)]),
  ];
}

function effectText(name: string, weight: number, status: Status | undefined): string {
  const router = status?.routers.find((each) => each.name === name);
  const change = weight > 0 ? `+${weight}` : `−${-weight}`;
  if (status === undefined) return `priority ${change}`;
  if (router === undefined) return `priority ${change} (no such router)`;
  return `priority ${change} to its ${router.priority.base}`;
}
