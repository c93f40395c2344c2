import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { DEFAULT_SETTINGS_FILE } from "../config/settings.ts";
import { ControlError, requestStatus } from "../control/client.ts";
import type { Status } from "../control/protocol.ts";
import type { HostFactsRequest } from "../ports/host-facts.ts";
import { UsageError } from "./arguments.ts";
import type { CommandContext } from "./command.ts";
import { plural } from "./diagnostics.ts";
import type { AgentPresence, Case } from "./doctor/case.ts";
import { examine } from "./doctor/examine.ts";
import type { DoctorReport, Finding } from "./doctor/finding.ts";
import type { Needs } from "./doctor/needs.ts";
import { NO_NEEDS, needsOf } from "./doctor/needs.ts";
import { EXIT } from "./exit-status.ts";
import type { CliHost } from "./host.ts";
import { DEFAULT_CONFIG, DEFAULT_CONTROL, textOf } from "./run-options.ts";
import { problemsOf } from "./status/problems.ts";
import type { Style } from "./style.ts";
import { styleFor } from "./style.ts";

export async function doctor(context: CommandContext): Promise<number> {
  const { host, terminal } = context;
  const { options, operands } = context.arguments;
  const controlSocket = textOf(context.arguments, "control") ?? DEFAULT_CONTROL;
  const listenMs = listenTime(textOf(context.arguments, "listen"));
  const needs = await readNeeds(operands[0], host);
  if (terminal.isTerminal && listenMs > 0) {
    terminal.err(`listening for ${listenMs / 1000} s …\n`);
  }
  const { confined, ...answers } = await presence(controlSocket);
  const facts = await host.collectFacts({ interfaces: needs.interfaces, listenMs, confined });
  const report = examine({ facts, needs, controlSocket, ...answers });
  if (options.has("json")) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else terminal.out(doctorText(report, styleFor(terminal.color)));
  return report.problems === 0 ? EXIT.ok : EXIT.failed;
}

function listenTime(text: string | undefined): number {
  const seconds = text === undefined ? 3 : Number(text);
  if (seconds >= 0 && seconds <= 3600) return seconds * 1000;
  throw new UsageError(`--listen ${text} is no number of seconds up to 3600`);
}

/** A file that was named must be readable; the default one may be missing. */
async function readNeeds(operand: string | undefined, host: CliHost): Promise<Needs> {
  if (operand === undefined && !existsSync(DEFAULT_CONFIG)) return NO_NEEDS;
  const file = resolve(operand ?? DEFAULT_CONFIG);
  const { config } = await host.loadConfig({
    file,
    configId: undefined,
    includesMustExist: false,
    settingsFile: DEFAULT_SETTINGS_FILE,
  });
  if (config !== undefined) return needsOf(config);
  throw new UsageError(`${file} has errors`, `mend them first: holdfast check ${file}`);
}

interface Presence extends Pick<Case, "agent" | "store" | "reported"> {
  readonly confined: HostFactsRequest["confined"];
}

async function presence(path: string): Promise<Presence> {
  try {
    const status = await requestStatus(path);
    const { store, ...rest } = status;
    const reported = problemsOf(rest, Date.now());
    return { agent: "answers", confined: confinedOf(status), store, reported };
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    return { agent: absence(path, error), confined: {} };
  }
}

function absence(path: string, { code }: ControlError): AgentPresence {
  if (code === "no-permission") return "no-permission";
  if (code === "no-answer") return "silent";
  if (code !== "not-running") return "answers";
  return existsSync(path) ? "stale-socket" : "absent";
}

/** One that has no configuration yet may do more, to get where it is to be. */
function confinedOf({ current, processes: { vrrp, witness } }: Status): Presence["confined"] {
  const running = current ? { vrrp: vrrp.pid, witness: witness?.pid } : {};
  return Object.fromEntries(
    Object.entries(running).flatMap(([name, pid]) =>
      typeof pid === "number" ? [[name, pid]] : [],
    ),
  );
}

const SIGNS = { ok: "✓", warning: "!", problem: "✗" } as const;

export function doctorText(report: DoctorReport, style: Style): string {
  const paints = { ok: style.good, warning: style.caution, problem: style.bad };
  const lines = (finding: Finding): readonly string[] => [
    `${paints[finding.level](SIGNS[finding.level])} ${finding.message}`,
    ...(finding.next === null ? [] : [`  → ${finding.next}`]),
  ];
  const verdict = `${plural(report.problems, "problem")}, ${plural(report.warnings, "warning")}`;
  return `${[...report.findings.flatMap(lines), "", verdict].join("\n")}\n`;
}
