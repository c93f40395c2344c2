import type { OptionSpec, ParsedArguments } from "./arguments.ts";
import type { CliHost, Terminal } from "./host.ts";

export interface CommandContext {
  readonly host: CliHost;
  readonly terminal: Terminal;
  readonly arguments: ParsedArguments;
}

/** A command answers its exit status. */
export type RunCommand = (context: CommandContext) => Promise<number>;

export interface CommandSpec {
  /** As it is typed, with the words before it: `policy check`. */
  readonly name: string;
  /** Operands as in a usage text. */
  readonly operands: string;
  /** How many operands there must and may be. */
  readonly count: readonly [least: number, most: number];
  /** One line. */
  readonly about: string;
  /** Lines for `holdfast help NAME`. */
  readonly details: readonly string[];
  readonly options: readonly OptionSpec[];
  /** Commands of which one must follow the name. */
  readonly commands?: readonly CommandSpec[];
  /**
   * Loaded when it is called: a command's code costs the others no start-up time. Left out where one of
   * `commands` must follow.
   */
  load?(): Promise<RunCommand>;
}

export const DEFAULT_CONTROL = "/run/holdfast/control.sock";

/** Of every command that asks the agent. */
export const CONTROL: OptionSpec = {
  name: "control",
  value: { name: "SOCKET" },
  about: `The agent's socket (default ${DEFAULT_CONTROL})`,
};
export const JSON_OUTPUT: OptionSpec = {
  name: "json",
  about: "Print JSON; docs/schema has its form",
};
export const HELP: OptionSpec = { name: "help", short: "h", about: "Print this text" };
