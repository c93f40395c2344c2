import { basename } from "node:path";
import { parseArguments, UsageError } from "./arguments.ts";
import { closest } from "./closest.ts";
import type { CommandSpec } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT } from "./exit-status.ts";
import { overview, usage } from "./help.ts";
import type { CliHost, Terminal } from "./host.ts";

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: "overview"; readonly asked: boolean }
  | { readonly kind: "usage"; readonly command: CommandSpec }
  | {
      readonly kind: "command";
      readonly command: CommandSpec;
      readonly words: readonly string[];
    };

/**
 * Finds the command. A line of options alone is keepalived's, so it runs the agent; so does no word at
 * all under the name `keepalived`. Throws a UsageError for a word that is no command.
 */
export function interpret(program: string, words: readonly string[]): Invocation {
  const [first, ...rest] = words;
  const legacy = basename(program).startsWith("keepalived");
  if (first === undefined && !legacy) return { kind: "overview", asked: false };
  if (!legacy && (first === "--help" || first === "-h")) return { kind: "overview", asked: true };
  if (first === undefined || first.startsWith("-")) {
    return { kind: "command", command: commandNamed("run"), words };
  }
  if (first === "help") {
    const [topic, ...more] = rest;
    return topic === undefined
      ? { kind: "overview", asked: true }
      : { kind: "usage", command: innermost(commandNamed(topic), more).command };
  }
  return { kind: "command", ...innermost(commandNamed(first), rest) };
}

/** Follows words into commands that have commands: `policy check`. */
function innermost(
  command: CommandSpec,
  words: readonly string[],
): { readonly command: CommandSpec; readonly words: readonly string[] } {
  const [first, ...rest] = words;
  if (command.commands === undefined || first === undefined || first.startsWith("-")) {
    return { command, words };
  }
  return innermost(commandNamed(`${command.name} ${first}`, command.commands), rest);
}

function commandNamed(name: string, commands: readonly CommandSpec[] = COMMANDS): CommandSpec {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const meant = closest(
    name,
    commands.map((candidate) => candidate.name),
  );
  const list = name.includes(" ")
    ? `holdfast help ${name.split(" ", 1).join("")}`
    : "holdfast help";
  throw new UsageError(
    `there is no command ${name}`,
    meant === undefined ? `${list} lists the commands` : `did you mean ${meant}?`,
  );
}

/** Runs one command line. Answers the exit status; never throws for what a person did wrong. */
export async function runCli(
  program: string,
  words: readonly string[],
  host: CliHost,
  terminal: Terminal,
): Promise<number> {
  try {
    return await obey(interpret(program, words), host, terminal);
  } catch (error) {
    return explain(error, terminal);
  }
}

async function obey(invocation: Invocation, host: CliHost, terminal: Terminal): Promise<number> {
  if (invocation.kind === "overview") {
    (invocation.asked ? terminal.out : terminal.err)(overview(COMMANDS));
    return invocation.asked ? EXIT.ok : EXIT.refused;
  }
  const { command } = invocation;
  if (invocation.kind === "usage") {
    terminal.out(usage(command));
    return EXIT.ok;
  }
  const parsed = parseArguments(invocation.words, command.options);
  if (parsed.options.has("help")) {
    terminal.out(usage(command));
    return EXIT.ok;
  }
  if (command.load === undefined) {
    terminal.err(usage(command));
    return EXIT.refused;
  }
  checkOperands(command, parsed.operands);
  const run = await command.load();
  return run({ host, terminal, arguments: parsed });
}

function checkOperands(command: CommandSpec, operands: readonly string[]): void {
  const [least, most] = command.count;
  const extra = operands[most];
  if (extra !== undefined) {
    throw new UsageError(`${extra} is one word too many`, `see holdfast help ${command.name}`);
  }
  if (operands.length < least) {
    throw new UsageError(
      `${command.name} needs ${command.operands}`,
      `see holdfast help ${command.name}`,
    );
  }
}

/** Operating errors carry a remedy; anything else is a defect of ours and keeps its stack. */
function explain(error: unknown, terminal: Terminal): number {
  if (error instanceof UsageError) {
    const hint = error.hint === undefined ? "" : `; ${error.hint}`;
    terminal.err(`holdfast: ${error.message}${hint}\n`);
    return EXIT.refused;
  }
  if (error instanceof Error && "remedy" in error && typeof error.remedy === "string") {
    terminal.err(`holdfast: ${error.message}\n          ${error.remedy}\n`);
    return EXIT.failed;
  }
  throw error;
}
