import type { Diagnostic } from "../../config/diagnostic.ts";
import { contestedServices } from "../../policy/contest.ts";
import type { CommandContext } from "../command.ts";
import { countsText, diagnosticText } from "../diagnostics.ts";
import { EXIT } from "../exit-status.ts";
import { sourceLines } from "../source-lines.ts";
import { styleFor } from "../style.ts";
import type { Examined } from "./examine.ts";
import { declarationProblems, examineAll, grantProblems, typeProblems } from "./examine.ts";
import { chosenFiles, policiesDirectory, settingsFile } from "./policies.ts";

/** `holdfast policy check --json`. */
export interface PolicyCheckReport {
  readonly accepted: boolean;
  readonly errors: number;
  readonly warnings: number;
  readonly policies: readonly {
    readonly name: string;
    readonly file: string;
    /** Names of the permissions that it asks for; `null`: they could not be read. */
    readonly permissions: readonly string[] | null;
  }[];
  readonly diagnostics: readonly Diagnostic[];
}

export async function checkPolicies(context: CommandContext): Promise<number> {
  const { terminal, host } = context;
  const { options } = context.arguments;
  const chosen = chosenFiles(context.arguments);
  const [examined, loaded, rules] = await Promise.all([
    examineAll(chosen.policies),
    host.loadSettings(settingsFile(context.arguments)),
    host.permissionRules(),
  ]);
  const types = await typeProblems(examined);
  const declared = await declarationProblems(examined, types, host);
  const report = reportOn(examined, [
    ...chosen.problems,
    ...(loaded?.diagnostics ?? []),
    ...once(examined.flatMap(({ problems }) => problems)),
    ...types,
    ...declared,
    ...contestedServices(
      examined.flatMap(({ policy: { name }, built }) =>
        built === undefined ? [] : [{ name, manifest: built.manifest }],
      ),
    ),
    ...examined.flatMap((each) => grantProblems(each, loaded?.settings, rules)),
  ]);
  if (options.has("json")) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else terminal.out(reportText(report, policiesDirectory(context.arguments), terminal.color));
  if (!report.accepted) return EXIT.refused;
  return options.has("strict") && report.warnings > 0 ? EXIT.failed : EXIT.ok;
}

/** A folder with a wrong owner is one finding, however many policies lie in it. */
function once(problems: readonly Diagnostic[]): readonly Diagnostic[] {
  const owners = new Set<string>();
  return problems.filter(({ code, message }) => {
    if (code !== "policy-owner") return true;
    if (owners.has(message)) return false;
    owners.add(message);
    return true;
  });
}

function reportOn(
  examined: readonly Examined[],
  diagnostics: readonly Diagnostic[],
): PolicyCheckReport {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  return {
    accepted: errors === 0,
    errors,
    warnings: diagnostics.length - errors,
    policies: examined.map(({ policy, built }) => ({
      name: policy.name,
      file: policy.file,
      permissions: built === undefined ? null : Object.keys(built.manifest.permissions),
    })),
    diagnostics,
  };
}

function reportText(report: PolicyCheckReport, directory: string, color: boolean): string {
  const style = styleFor(color);
  const sourceLine = sourceLines();
  const findings = report.diagnostics.map((each) => diagnosticText(each, sourceLine, style));
  const count = report.policies.length;
  if (count === 0 && findings.length === 0) {
    return `no policies in ${directory}; holdfast policy new NAME writes one\n`;
  }
  const summary = `${count === 1 ? "1 policy" : `${count} policies`}: ${countsText(report.diagnostics)}`;
  const paint = report.errors > 0 ? style.bad : report.warnings > 0 ? style.caution : style.good;
  return `${[...findings, paint(summary)].join("\n")}\n`;
}
