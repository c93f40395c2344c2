import type { Family } from "../../../core/address.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import type { DiagnosticCode } from "../../diagnostic-codes.ts";
import { diagnose } from "../../diagnostic-codes.ts";
import type { Position } from "../../position.ts";
import type { ConfigHost } from "../config-host.ts";
import type { Statement, Word } from "../tree.ts";
import type { CommandRules } from "./command-rules.ts";
import { commandRules } from "./command-rules.ts";
import type { DefinedTrackers } from "./defined-trackers.ts";
import type { NameTables } from "./name-tables.ts";
import type { ScriptRules } from "./script-rules.ts";
import { NO_SCRIPT_RULES } from "./script-rules.ts";

/** What one lowering reads besides the tree, and where its findings go. */
export interface Lowering {
  readonly diagnostics: Diagnostic[];
  readonly names: NameTables;
  readonly host: ConfigHost;
  readonly commands: CommandRules;
  /** The trackers that the file defines, and which of them something looks at. */
  readonly trackers: DefinedTrackers;
  /** What the next rule without a preference gets, by family. */
  readonly nextPreference: Record<Family, number>;
}

/** keepalived's first preference for a rule without one; each further one is lower by one. */
export const FIRST_PREFERENCE = 16_384;

export function lowering(
  host: ConfigHost,
  names: NameTables,
  scripts: ScriptRules = NO_SCRIPT_RULES,
): Lowering {
  const nextPreference = { ipv4: FIRST_PREFERENCE, ipv6: FIRST_PREFERENCE };
  const commands = commandRules(scripts, host);
  return { diagnostics: [], names, host, commands, trackers: new Map(), nextPreference };
}

/** A value, with the word that said it. */
export interface Said<T> {
  readonly value: T;
  readonly at: Word;
}

/** Adds one finding about a word, or about the absence of one at a place. */
export function report(
  lowering: Lowering,
  code: DiagnosticCode,
  at: Word | Position,
  message: string,
  hint?: string,
): void {
  const position = "position" in at ? at.position : at;
  const text = "position" in at ? at.text : "";
  lowering.diagnostics.push(diagnose(code, position, text, message, hint));
}

/** A line of a value block such as virtual_ipaddress: its keyword is a value like the others. */
export const wordsOf = (line: Statement): readonly Word[] => [line.keyword, ...line.words];

/** Walks over the words of a line, left to right. */
export interface LineCursor {
  readonly words: readonly Word[];
  at: number;
}

export function take(cursor: LineCursor): Word | undefined {
  const word = cursor.words[cursor.at];
  if (word !== undefined) cursor.at += 1;
  return word;
}

export const peek = (cursor: LineCursor): Word | undefined => cursor.words[cursor.at];
