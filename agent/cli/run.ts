import { UsageError } from "./arguments.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { SIGNALS } from "./keepalived-options.ts";
import { notesOn, runOptions, textOf } from "./run-options.ts";

/** `holdfast run`, and every command line of keepalived. */
export async function run(context: CommandContext): Promise<number> {
  const { host, terminal } = context;
  const parsed = context.arguments;
  if (parsed.options.has("version")) {
    terminal.out(`Holdfast v${host.version()}\n`);
    return EXIT.ok;
  }
  const signal = textOf(parsed, "signum");
  if (signal !== undefined) return printSignal(signal, context);

  const options = runOptions(parsed, terminal);
  if (parsed.options.has("config-test")) {
    const { configTest } = await import("./config-test.ts");
    return configTest(options, textOf(parsed, "config-test"), host, terminal);
  }
  for (const note of notesOn(parsed)) terminal.err(`holdfast: ${note}\n`);
  const namespace = textOf(parsed, "namespace");
  if (namespace !== undefined) await host.enterNamespace(namespace);
  if (options.umask !== undefined) process.umask(options.umask);
  return host.runAgent(options);
}

function printSignal(name: string, context: CommandContext): number {
  const number = SIGNALS[name];
  if (number === undefined) {
    throw new UsageError(
      `--signum ${name} is not known`,
      `there are ${Object.keys(SIGNALS).join(", ")}`,
    );
  }
  context.terminal.out(`${number}\n`);
  return EXIT.ok;
}
