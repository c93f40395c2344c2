import { readFileSync } from "node:fs";
import { UsageError } from "./arguments.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import type { CliHost, ReplayOutcome } from "./host.ts";

export async function replay(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const [file = ""] = context.arguments.operands;
  const outcome = await replayed(context.host, file);
  if (context.arguments.options.has("json")) terminal.out(`${JSON.stringify(outcome, null, 2)}\n`);
  else terminal.out(replayText(file, outcome));
  return outcome.differences.length === 0 ? EXIT.ok : EXIT.failed;
}

async function replayed(host: CliHost, file: string): Promise<ReplayOutcome> {
  try {
    return await host.replay(readJournal(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${file}: ${error.message}`);
    throw error;
  }
}

/** `-`: the standard input. */
function readJournal(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UsageError(`${file} cannot be read (${reason})`);
  }
}

export function replayText(file: string, outcome: ReplayOutcome): string {
  const { steps, routers, differences } = outcome;
  const lines = differences.map(
    ({ line, subject, message }) => `${file}:${line}: ${subject}: ${message}`,
  );
  const verdict =
    differences.length === 0
      ? "the machines decide as recorded"
      : `${differences.length} decided otherwise`;
  return `${[...lines, `${steps} steps of ${routers} routers: ${verdict}`].join("\n")}\n`;
}
