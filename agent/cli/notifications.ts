import { requestNotifications } from "../control/client.ts";
import type { NotificationsReport } from "../control/protocol.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { DEFAULT_CONTROL, textOf } from "./run-options.ts";
import { duration, localTime } from "./status/duration.ts";
import type { Style } from "./style.ts";
import { styleFor } from "./style.ts";
import type { Cell } from "./table.ts";
import { table } from "./table.ts";

export async function notifications(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const { options } = context.arguments;
  const path = textOf(context.arguments, "control") ?? DEFAULT_CONTROL;
  const report = await requestNotifications(path, options.has("retry"));
  if (options.has("json")) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
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
    const letters = dead.map(({ diedAt, target, title, reason }): readonly Cell[] => [
      { text: localTime(diedAt), paint: style.faint },
      { text: printable(target) },
      { text: printable(title) },
      { text: printable(reason), paint: style.bad },
    ]);
    lines.push("", ...table(["GIVEN UP", "TARGET", "TITLE", "WHY"], letters, style.faint));
    lines.push("", "→ holdfast notifications --retry gives them another try");
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
