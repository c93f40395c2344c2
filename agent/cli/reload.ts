import { requestReload } from "../control/client.ts";
import type { ReloadOutcome, ReloadPlan } from "../control/target.ts";
import type { CommandContext } from "./command.ts";
import { countsText, diagnosticText } from "./diagnostics.ts";
import { EXIT } from "./exit-status.ts";
import { DEFAULT_CONTROL, textOf } from "./run-options.ts";
import { sourceLines } from "./source-lines.ts";
import type { Style } from "./style.ts";
import { styleFor } from "./style.ts";

export async function reload(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const outcome = await requestReload(textOf(context.arguments, "control") ?? DEFAULT_CONTROL);
  if (context.arguments.options.has("json")) terminal.out(`${JSON.stringify(outcome, null, 2)}\n`);
  else terminal.out(reloadText(outcome, styleFor(terminal.color)));
  return outcome.accepted ? EXIT.ok : EXIT.refused;
}

export function reloadText(outcome: ReloadOutcome, style: Style): string {
  const sourceLine = sourceLines();
  const findings = outcome.diagnostics.map((each) => diagnosticText(each, sourceLine, style));
  const counts = countsText(outcome.diagnostics);
  const verdict = outcome.accepted
    ? [
        `${style.good(`reloaded: generation ${outcome.generation}`)} (${counts})`,
        ...planLines(outcome.plan),
      ]
    : [
        `${style.bad("refused")}: ${outcome.message} (${counts})`,
        `nothing changed: generation ${outcome.generation} runs on`,
      ];
  return `${[...findings, ...verdict].join("\n")}\n`;
}

function planLines(plan: ReloadPlan): readonly string[] {
  const named = (["added", "removed", "replaced"] as const).flatMap((what) =>
    plan[what].length === 0 ? [] : [`  ${what}: ${plan[what].join(", ")}`],
  );
  const kept = plan.kept.length;
  // Virtual servers alone: there is nothing to say of routers.
  if (kept === 0 && named.length === 0) return [];
  return [...named, `  kept: ${kept} router${kept === 1 ? "" : "s"}`];
}
