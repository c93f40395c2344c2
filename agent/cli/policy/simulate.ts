import { resolve } from "node:path";
import type { SimulationReport } from "../../policy/simulation-report.ts";
import { UsageError } from "../arguments.ts";
import type { CommandContext } from "../command.ts";
import { plural } from "../diagnostics.ts";
import { EXIT } from "../exit-status.ts";
import type { CliHost } from "../host.ts";
import { textOf } from "../run-options.ts";
import type { Style } from "../style.ts";
import { styleFor } from "../style.ts";
import { table } from "../table.ts";

/** Shows what a policy would have done over a scenario. */
export async function simulatePolicy(context: CommandContext): Promise<number> {
  const { terminal, host } = context;
  const { operands, options } = context.arguments;
  const scenario = textOf(context.arguments, "scenario");
  if (scenario === undefined || scenario === "") {
    throw new UsageError("it needs --scenario FILE", "holdfast help policy simulate shows one");
  }
  const report = await played(host, resolve(operands[0] ?? ""), scenario);
  if (options.has("json")) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else terminal.out(reportText(report, styleFor(terminal.color)));
  return report.errors.length === 0 ? EXIT.ok : EXIT.failed;
}

async function played(host: CliHost, file: string, scenario: string): Promise<SimulationReport> {
  try {
    return await host.simulatePolicy(file, resolve(scenario));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(error.message);
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (/^E[A-Z]+$/.test(code)) throw new UsageError(`${scenario} cannot be read (${code})`);
    throw error;
  }
}

type Moment = SimulationReport["timeline"][number];

function reportText(report: SimulationReport, style: Style): string {
  const { timeline, routers, errors } = report;
  const happened = withoutRepeats(timeline).map(({ after, kind, subject, message }) => [
    { text: seconds(after), paint: style.faint },
    { text: kind, paint: paintOf(kind, style) },
    { text: subject, paint: style.strong },
    { text: message },
  ]);
  const moments = routers.flatMap(({ name, history }) =>
    history.map(({ after, state, priority }, at) => [
      { text: at === 0 ? name : "", paint: style.strong },
      { text: seconds(after), paint: style.faint },
      { text: String(priority) },
      { text: state, paint: state === "fault" ? style.bad : style.good },
    ]),
  );
  const found = errors.length === 0 ? "no mistakes" : plural(errors.length, "mistake");
  const paint = errors.length === 0 ? style.good : style.bad;
  return [
    ...table(["time", "what", "of", ""], happened, style.faint),
    "",
    ...table(["router", "from", "priority", "state"], moments, style.faint),
    "",
    `${report.policy}: ${seconds(report.lasted)} of ${report.scenario}, ${paint(found)}`,
    "",
  ].join("\n");
}

/** A mistake that is made again and again is shown once, with how often. */
function withoutRepeats(timeline: readonly Moment[]): readonly Moment[] {
  const times = new Map<string, number>();
  const key = ({ subject, message }: Moment): string => `${subject}\n${message}`;
  for (const moment of timeline) {
    if (moment.kind === "error") times.set(key(moment), (times.get(key(moment)) ?? 0) + 1);
  }
  return timeline.flatMap((moment) => {
    if (moment.kind !== "error") return [moment];
    const count = times.get(key(moment));
    times.delete(key(moment));
    if (count === undefined) return [];
    return [count === 1 ? moment : { ...moment, message: `${moment.message} (${count} times)` }];
  });
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(3)} s`;

function paintOf(kind: Moment["kind"], style: Style): (text: string) => string {
  if (kind === "error") return style.bad;
  return kind === "scenario" ? style.faint : style.caution;
}
