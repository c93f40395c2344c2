import { requestMetrics } from "../control/client.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { DEFAULT_CONTROL, textOf } from "./run-options.ts";

export async function metrics(context: CommandContext): Promise<number> {
  const path = textOf(context.arguments, "control") ?? DEFAULT_CONTROL;
  context.terminal.out(await requestMetrics(path));
  return EXIT.ok;
}
