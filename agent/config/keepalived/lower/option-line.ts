import type { Family, IpAddress, Prefix } from "../../../core/address.ts";
import { familyOf, parseAddress } from "../../../core/address.ts";
import type { Statement, Word } from "../tree.ts";
import { isInterfaceName, parsePrefix, parseWhole } from "./literals.ts";
import type { LineCursor, Lowering } from "./lowering.ts";
import { take, wordsOf } from "./lowering.ts";

/** A line of options that is left out as a whole when one of them cannot be read. */
export interface OptionLine {
  readonly first: Word;
  readonly cursor: LineCursor;
  readonly lowering: Lowering;
  /** The first address or family word decides; the others must agree. */
  family: Family | undefined;
}

/** Why a line cannot be used: the word, and what it should have been. */
export class LineRefusal {
  readonly at: Word;
  readonly reason: string;

  constructor(at: Word, reason: string) {
    this.at = at;
    this.reason = reason;
  }
}

/** Reads a value: `undefined` when it is not of the kind. */
type Parse<Value> = (text: string) => Value | undefined;

/** The next word as a value of a kind, or a refusal that says what it should be. */
export function takeValue<Value>(
  line: OptionLine,
  option: Word,
  wanted: string,
  parse: Parse<Value>,
): Value | LineRefusal {
  const word = take(line.cursor);
  const value = word === undefined ? undefined : parse(word.text);
  return value ?? new LineRefusal(word ?? option, `${option.text} takes ${wanted}`);
}

export const takeWhole = (
  line: OptionLine,
  option: Word,
  high: number,
  low = 0,
): number | LineRefusal =>
  takeValue(line, option, `a whole number from ${low} to ${high}`, (text) =>
    parseWhole(text, low, high),
  );

export const takeInterface = (line: OptionLine, option: Word): string | LineRefusal =>
  takeValue(line, option, "the name of an interface", (text) =>
    isInterfaceName(text) ? text : undefined,
  );

export function takeAddress(line: OptionLine, option: Word): IpAddress | LineRefusal {
  const address = takeValue(line, option, "an address", parseAddress);
  if (address instanceof LineRefusal) return address;
  return settle(line, familyOf(address)) ? address : mixed(line);
}

/** `undefined`: default, any or all. */
export function takePrefix(line: OptionLine, option: Word): Prefix | undefined | LineRefusal {
  const prefix = takeValue(line, option, "an address, with or without /LENGTH", parseDestination);
  return prefix instanceof LineRefusal ? prefix : settleDestination(line, prefix);
}

export function settleDestination(
  line: OptionLine,
  destination: Prefix | "default",
): Prefix | undefined | LineRefusal {
  if (destination === "default") return undefined;
  if (!settle(line, familyOf(destination.address))) return mixed(line);
  return destination.length === 0 ? undefined : destination;
}

const WHOLE_WORLD: ReadonlySet<string> = new Set(["default", "any", "all"]);

export const parseDestination = (text: string): Prefix | "default" | undefined =>
  WHOLE_WORLD.has(text) ? "default" : parsePrefix(text);

/** Answers whether the line may be of this family. */
export function settle(line: OptionLine, family: Family): boolean {
  line.family ??= family;
  return line.family === family;
}

export const mixed = ({ cursor, first }: OptionLine): LineRefusal =>
  new LineRefusal(
    cursor.words[cursor.at - 1] ?? first,
    "a line is of one family; IPv4 and IPv6 do not mix",
  );

/** Starts on a line, before its first word. */
export function optionLine(statement: Statement, lowering: Lowering): OptionLine {
  const cursor = { words: wordsOf(statement), at: 0 };
  return { first: statement.keyword, cursor, lowering, family: undefined };
}
