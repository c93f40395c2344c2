import { noSettings } from "../../config/settings.ts";
import { grantBlock } from "../../policy/grant-lines.ts";
import type { GrantComparison } from "../../policy/grants.ts";
import { compareGrants } from "../../policy/grants.ts";
import { hasErrors } from "../../policy/problem.ts";
import type { CommandContext } from "../command.ts";
import { diagnosticText, plural } from "../diagnostics.ts";
import { EXIT } from "../exit-status.ts";
import { sourceLines } from "../source-lines.ts";
import { styleFor } from "../style.ts";
import { appendGrants } from "./append-grants.ts";
import { examineAll } from "./examine.ts";
import { chosenNames, settingsFile } from "./policies.ts";

/** `holdfast policy grants --json`. */
export interface PolicyGrantsReport {
  /** holdfast.conf. */
  readonly file: string;
  readonly policies: readonly {
    readonly name: string;
    /** What it asks for and is granted, in the SDK's form. */
    readonly granted: GrantComparison["effective"];
    /** Lines for its `grant` block. */
    readonly missing: readonly string[];
  }[];
}

type ReportedPolicy = PolicyGrantsReport["policies"][number];

export async function policyGrants(context: CommandContext): Promise<number> {
  const { terminal, host } = context;
  const { options } = context.arguments;
  const file = settingsFile(context.arguments);
  const chosen = chosenNames(context.arguments);
  const [examined, loaded, rules] = await Promise.all([
    examineAll(chosen.policies),
    host.loadSettings(file),
    host.permissionRules(),
  ]);
  const settings = loaded?.settings ?? noSettings(file);
  const policies: ReportedPolicy[] = [];
  const problems = [...chosen.problems, ...(loaded?.diagnostics ?? [])];
  for (const { policy, built, problems: found } of examined) {
    problems.push(...found.filter(({ severity }) => severity === "error"));
    if (built === undefined) continue;
    const compared = compareGrants(policy.name, built.manifest, settings, rules);
    problems.push(...compared.problems.filter(({ code }) => code !== "policy-grant"));
    const missing = compared.missing.map(({ line }) => line);
    policies.push({ name: policy.name, granted: compared.effective, missing });
  }
  const report: PolicyGrantsReport = { file, policies };
  const refused = hasErrors(problems);
  const sourceLine = sourceLines();
  const style = styleFor(terminal.color);
  for (const each of problems) terminal.err(`${diagnosticText(each, sourceLine, style)}\n`);
  const lacking = policies.filter(({ missing }) => missing.length > 0);
  const blocks = lacking.map(({ name, missing }) => grantBlock(name, missing));
  const write = options.has("write") && blocks.length > 0 && !refused;
  if (write) appendGrants(file, blocks.join("\n"));
  if (options.has("json")) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else terminal.out(reportText(report, blocks, write));
  if (refused) return EXIT.refused;
  return lacking.length > 0 && !write ? EXIT.failed : EXIT.ok;
}

function reportText(
  report: PolicyGrantsReport,
  blocks: readonly string[],
  written: boolean,
): string {
  const lines = report.policies.map(({ name, missing }) =>
    missing.length === 0
      ? `${name}: all that it asks for is granted`
      : `${name}: ${plural(missing.length, "part")} of what it asks for not granted`,
  );
  if (lines.length === 0) lines.push("no policies");
  if (blocks.length === 0) return `${lines.join("\n")}\n`;
  const lead = written
    ? `\nadded to ${report.file}:\n\n`
    : `\nadd to ${report.file}, or let --write do it:\n\n`;
  return `${lines.join("\n")}\n${lead}${blocks.join("\n")}`;
}
