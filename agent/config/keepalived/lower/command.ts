import type { CommandConfig } from "../../trackers.ts";
import { splitCommandText } from "../lexer.ts";
import type { Word } from "../tree.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { FoundProgram } from "./programs.ts";
import { reportStopsAgent } from "./stops-agent.ts";

export type CommandOutcome =
  | { readonly ok: true; readonly command: CommandConfig }
  | { readonly ok: false; readonly reason: string };

/** A command where it stands in the file. */
export interface CommandSource {
  /** The whole command, its arguments included. */
  readonly at: Word;
  /** The user and the group that it names. */
  readonly user: readonly Word[];
  /** `notify_master of VI_1`. */
  readonly owner: string;
  /** What follows when it cannot run: `it is never run`. */
  readonly otherwise: string;
}

interface Refusal {
  readonly at: Word;
  readonly reason: string;
  readonly hint: string;
}

/**
 * Reads a command. One that cannot run is said at its place; that is no error, as it is the host's
 * fault rather than the file's, and may be mended without touching the file.
 */
export function readCommand(source: CommandSource, lowering: Lowering): CommandOutcome {
  const read = checkCommand(source, lowering);
  if (!("reason" in read)) return { ok: true, command: read };
  const { at, reason, hint } = read;
  report(lowering, "program-refused", at, `${source.owner}: ${reason}; ${source.otherwise}`, hint);
  return { ok: false, reason };
}

function checkCommand(source: CommandSource, lowering: Lowering): CommandConfig | Refusal {
  const { at, user, owner } = source;
  const { commands } = lowering;
  const argv = splitCommandText(at.text);
  const name = argv?.[0] ?? "";
  if (argv === undefined) {
    return { at, reason: "a quote within the command is not closed", hint: "close the quote" };
  }
  if (name === "") return { at, reason: "the command is empty", hint: "write a program" };
  const program = commands.programs.find(name);
  if (!program.ok) return { at, reason: program.reason, hint: program.hint };
  const found = commands.users.find(user);
  if (!found.ok) return { at: user[0] ?? at, reason: found.reason, hint: found.hint };
  const byRoot = (found.runAs?.uid ?? 0) === 0;
  const exposed = byRoot ? exposedProgram(program, source, lowering) : undefined;
  if (exposed !== undefined) return exposed;
  reportStopsAgent({ at, owner, argv, program }, lowering);
  const { position } = at;
  return { position, argv: [program.path, ...argv.slice(1)], runAs: found.runAs };
}

/** A program that root runs and others may change makes root of them. */
function exposedProgram(
  { exposed }: FoundProgram,
  { at, owner }: CommandSource,
  lowering: Lowering,
): Refusal | undefined {
  if (exposed === undefined) return undefined;
  const { reason, remedy } = exposed;
  const text = `it would run as root, and ${reason}`;
  if (lowering.commands.security) return { at, reason: text, hint: remedy };
  const message = `${owner} runs as root, and ${reason}: who can write there is root too`;
  report(lowering, "program-exposed", at, message, `${remedy}; or write script_user`);
  return undefined;
}
