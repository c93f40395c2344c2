import { requestNotifications } from "../control/client.ts";
import type { LetterIds, NotificationsReport } from "../control/protocol.ts";
import { UsageError } from "./arguments.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { DEFAULT_CONTROL, textOf } from "./run-options.ts";
import { duration, localTime } from "./status/duration.ts";
import type { Style } from "./style.ts";
import { styleFor } from "./style.ts";
import type { Cell } from "./table.ts";
import { table } from "./table.ts";

export const notifications = (context: CommandContext): Promise<number> => show(context);

export const retry = (context: CommandContext): Promise<number> => {
  const { operands } = context.arguments;
  return show(context, "retry", operands.length === 0 ? "all" : idsOf(operands));
};

export const discard = (context: CommandContext): Promise<number> =>
  show(context, "discard", idsOf(context.arguments.operands));

/** Throws a UsageError. */
function idsOf(words: readonly string[]): LetterIds {
  if (words.length === 1 && words[0] === "all") return "all";
  return words.map((word) => {
    if (/^\d{1,15}$/.test(word)) return Number(word);
    throw new UsageError(`${word} is no ID`, "holdfast notifications shows them");
  });
}

async function show(
  context: CommandContext,
  first?: "retry" | "discard",
  ids?: LetterIds,
): Promise<number> {
  const { terminal } = context;
  const path = textOf(context.arguments, "control") ?? DEFAULT_CONTROL;
  const report = await requestNotifications(path, first, ids);
  if (context.arguments.options.has("json")) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else terminal.out(renderNotifications(report, Date.now(), styleFor(terminal.color)));
  return report.dead.length === 0 ? EXIT.ok : EXIT.failed;
}

/** For people. What came from a policy or a server is shown on one line, without control characters. */
export function renderNotifications(
  { targets, dead, dropped }: NotificationsReport,
  now: number,
  style: Style,
): string {
  if (targets.length === 0 && dead.length === 0) return "No notification was sent yet.\n";
  const rows = targets.map((one): readonly Cell[] => [
    { text: printable(one.target), paint: style.strong },
    { text: String(one.queued) },
    { text: String(one.delivered) },
    one.dead > 0 ? { text: String(one.dead), paint: style.bad } : { text: "0" },
    { text: errorText(one, now), paint: style.caution },
  ]);
  const lines = [
    ...table(["TARGET", "QUEUED", "DELIVERED", "DEAD", "LAST ERROR"], rows, style.faint),
  ];
  if (dead.length > 0) {
    const letters = dead.map(({ id, diedAt, target, title, reason }): readonly Cell[] => [
      { text: String(id) },
      { text: localTime(diedAt), paint: style.faint },
      { text: printable(target) },
      { text: printable(title) },
      { text: printable(reason), paint: style.bad },
    ]);
    lines.push("", ...table(["ID", "GIVEN UP", "TARGET", "TITLE", "WHY"], letters, style.faint));
    lines.push("", "→ holdfast notifications retry [ID…], or discard ID…");
  }
  if (dropped > 0) lines.push("", `${dropped} were dropped: the outbox was full`);
  return `${lines.join("\n")}\n`;
}

function errorText(
  { lastError, nextTryAt }: NotificationsReport["targets"][number],
  now: number,
): string {
  if (lastError === null) return "";
  const ago = `${duration(now - lastError.at)} ago: ${printable(lastError.reason)}`;
  return nextTryAt === null ? ago : `${ago}; next try in ${duration(nextTryAt - now)}`;
}

const printable = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ").slice(0, 200);
