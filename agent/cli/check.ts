import { resolve } from "node:path";
import type { Config, InstanceConfig } from "../config/config.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { DEFAULT_SETTINGS_FILE } from "../config/settings.ts";
import type { VirtualServerConfig } from "../config/virtual-servers.ts";
import { DEFAULT_POLICIES } from "../policy/discover.ts";
import type { CommandContext } from "./command.ts";
import { countsText, diagnosticText } from "./diagnostics.ts";
import { EXIT } from "./exit-status.ts";
import { hostProblems } from "./host-settings.ts";
import { namedCheckProblems } from "./named-checks.ts";
import { DEFAULT_CONFIG, textOf } from "./run-options.ts";
import { sourceLines } from "./source-lines.ts";
import type { Style } from "./style.ts";
import { styleFor } from "./style.ts";
import { table } from "./table.ts";

/** `holdfast check --json`. */
export interface CheckReport {
  readonly file: string;
  readonly accepted: boolean;
  readonly errors: number;
  readonly warnings: number;
  readonly diagnostics: readonly Diagnostic[];
  /** What was understood; empty when the file is refused. */
  readonly routers: readonly CheckedRouter[];
  readonly services: readonly CheckedService[];
  /** What cannot be said on this host. */
  readonly notes: readonly string[];
}

/** A virtual server. */
export interface CheckedService {
  readonly name: string;
  readonly scheduler: string;
  readonly quorum: number;
  readonly realServers: number;
  /** Of its real servers, together. */
  readonly checks: number;
}

export interface CheckedRouter {
  readonly name: string;
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly family: "ipv4" | "ipv6";
  readonly interface: string | null;
  readonly priority: number;
  /** Microseconds. */
  readonly advertisementInterval: number;
  readonly transport: "multicast" | "unicast";
  /** With prefix length. */
  readonly addresses: readonly string[];
  readonly syncGroup: string | null;
}

/** Beyond this many routers or services the table says nothing that the file does not. */
const MOST_SHOWN = 40;

export async function check(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const { options, operands } = context.arguments;
  const file = resolve(operands[0] ?? DEFAULT_CONFIG);
  const loaded = await context.host.loadConfig({
    file,
    configId: textOf(context.arguments, "config-id"),
    includesMustExist: options.has("all-config"),
    settingsFile: resolve(textOf(context.arguments, "settings") ?? DEFAULT_SETTINGS_FILE),
  });
  const policies = resolve(textOf(context.arguments, "policies") ?? DEFAULT_POLICIES);
  const { diagnostics: unfit, notes } = await hostProblems(loaded.config, context.host);
  const diagnostics = [
    ...loaded.diagnostics,
    ...(await namedCheckProblems(loaded.config, policies)),
    ...unfit,
  ];
  const report = reportOn(file, loaded.config, diagnostics, notes);
  if (options.has("json")) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else {
    const style = styleFor(terminal.color);
    const sourceLine = sourceLines();
    const findings = diagnostics.map((each) => diagnosticText(each, sourceLine, style));
    terminal.out(`${[...findings, ...summary(report, style)].join("\n")}\n`);
  }
  if (!report.accepted) return EXIT.refused;
  return options.has("strict") && report.warnings > 0 ? EXIT.failed : EXIT.ok;
}

export function reportOn(
  file: string,
  config: Config | undefined,
  diagnostics: readonly Diagnostic[],
  notes: readonly string[] = [],
): CheckReport {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  return {
    file,
    accepted: config !== undefined && errors === 0,
    errors,
    warnings: diagnostics.length - errors,
    diagnostics,
    routers: (config?.instances ?? []).map(checkedRouter),
    services: (config?.balancing.virtualServers ?? []).map(checkedService),
    notes,
  };
}

const checkedRouter = (instance: InstanceConfig): CheckedRouter => ({
  name: instance.router.name,
  vrid: instance.router.vrid,
  version: instance.router.version,
  family: instance.router.family,
  interface: instance.interface ?? null,
  priority: instance.router.priority,
  advertisementInterval: instance.router.advertisementInterval,
  transport: instance.transport.mode,
  addresses: instance.addresses.map(({ address, prefixLength }) => `${address}/${prefixLength}`),
  syncGroup: instance.syncGroup ?? null,
});

const checkedService = (server: VirtualServerConfig): CheckedService => ({
  name: server.name,
  scheduler: server.scheduler,
  quorum: server.quorum,
  realServers: server.realServers.length,
  checks: server.realServers.reduce((sum, { checks }) => sum + checks.length, 0),
});

function summary(report: CheckReport, style: Style): readonly string[] {
  const counts = `${report.file}: ${countsText(report.diagnostics)}`;
  if (!report.accepted) return [style.bad(`${counts}: the agent would refuse this file`)];
  const { routers, services } = report;
  return [
    ...(report.diagnostics.length === 0 ? [] : [""]),
    ...(routers.length + services.length === 0 ? ["no virtual router", ""] : []),
    ...part(routers, (shown) => routerTable(shown, style)),
    ...part(services, (shown) => serviceTable(shown, style)),
    ...report.notes.map((note) => style.faint(note)),
    report.warnings === 0 ? style.good(counts) : style.caution(counts),
  ];
}

/** The first of many, and a line between this and what follows. */
function part<Row>(
  rows: readonly Row[],
  lines: (shown: readonly Row[]) => readonly string[],
): readonly string[] {
  if (rows.length === 0) return [];
  const more = rows.length - MOST_SHOWN;
  return [...lines(rows.slice(0, MOST_SHOWN)), ...(more > 0 ? [`and ${more} more`] : []), ""];
}

const HEADING = ["ROUTER", "VRID", "VERSION", "INTERFACE", "PRIORITY", "INTERVAL", "ADDRESSES"];

function routerTable(routers: readonly CheckedRouter[], style: Style): readonly string[] {
  const rows = routers.map((router) => [
    { text: router.name, paint: style.strong },
    { text: String(router.vrid) },
    { text: `${router.version} ${router.family}` },
    { text: router.interface ?? "any" },
    { text: String(router.priority) },
    { text: `${router.advertisementInterval / 1_000_000} s` },
    { text: router.addresses.join("\n") },
  ]);
  return table(HEADING, rows, style.faint);
}

function serviceTable(services: readonly CheckedService[], style: Style): readonly string[] {
  const rows = services.map((service) => [
    { text: service.name, paint: style.strong },
    { text: service.scheduler },
    { text: String(service.quorum) },
    { text: String(service.realServers) },
    { text: String(service.checks) },
  ]);
  return table(["SERVICE", "SCHEDULER", "QUORUM", "REAL SERVERS", "CHECKS"], rows, style.faint);
}
