import { readEvents } from "../control/client.ts";
import type { AgentEvent } from "../control/protocol.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { DEFAULT_CONTROL, textOf } from "./run-options.ts";
import { localTime } from "./status/duration.ts";
import type { Style } from "./style.ts";
import { styleFor } from "./style.ts";

export async function events(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const { options } = context.arguments;
  const style = styleFor(terminal.color);
  const json = options.has("json");
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  process.once("SIGINT", abort).once("SIGTERM", abort);
  try {
    await readEvents(
      textOf(context.arguments, "control") ?? DEFAULT_CONTROL,
      options.has("follow"),
      (event) => terminal.out(`${json ? JSON.stringify(event) : eventLine(event, style)}\n`),
      stop.signal,
    );
  } finally {
    process.off("SIGINT", abort).off("SIGTERM", abort);
  }
  return EXIT.ok;
}

/** One event for people. */
export function eventLine(event: AgentEvent, style: Style): string {
  const paint = event.kind === "alarm" ? style.caution : (text: string): string => text;
  const subject = style.strong(event.subject);
  return `${style.faint(localTime(event.at))}  ${subject}  ${paint(event.message)}`;
}
