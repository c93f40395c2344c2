import type { Micros } from "../../../core/time.ts";
import { seconds } from "../../../core/time.ts";
import type { Statement, Word } from "../tree.ts";
import { isInterfaceName, LONGEST_INTERFACE_NAME, parseSeconds, parseWhole } from "./literals.ts";
import type { Lowering, Said } from "./lowering.ts";
import { report } from "./lowering.ts";

const SWITCH: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  yes: true,
  off: false,
  false: false,
  no: false,
};

/** The keyword's value; its absence is reported. */
export function firstWord(statement: Statement, lowering: Lowering): Word | undefined {
  const word = statement.words[0];
  if (word === undefined) {
    report(
      lowering,
      "missing-argument",
      statement.keyword,
      `${statement.keyword.text} needs a value`,
    );
  }
  return word;
}

/** `keyword`, or `keyword on|off|true|false|yes|no`. */
export function readSwitch(statement: Statement, lowering: Lowering): Said<boolean> | undefined {
  const word = statement.words[0];
  if (word === undefined) return { value: true, at: statement.keyword };
  const value = Object.hasOwn(SWITCH, word.text) ? SWITCH[word.text] : undefined;
  if (value !== undefined) return { value, at: word };
  reportValue(statement, word, "on, off, true, false, yes or no", lowering);
  return undefined;
}

export interface WholeRange {
  readonly low: number;
  readonly high: number;
}

export function readWhole(
  statement: Statement,
  range: WholeRange,
  lowering: Lowering,
): Said<number> | undefined {
  const word = firstWord(statement, lowering);
  if (word === undefined) return undefined;
  const value = parseWhole(word.text, range.low, range.high);
  if (value !== undefined) return { value, at: word };
  reportValue(statement, word, `a whole number from ${range.low} to ${range.high}`, lowering);
  return undefined;
}

/** Seconds, with a fraction down to microseconds. */
export function readSeconds(
  statement: Statement,
  range: WholeRange,
  lowering: Lowering,
): Said<Micros> | undefined {
  const word = firstWord(statement, lowering);
  if (word === undefined) return undefined;
  const value = parseSeconds(word.text);
  if (value !== undefined && value >= seconds(range.low) && value <= seconds(range.high)) {
    return { value, at: word };
  }
  reportValue(statement, word, `seconds from ${range.low} to ${range.high}`, lowering);
  return undefined;
}

export function readText(statement: Statement, lowering: Lowering): Said<string> | undefined {
  const word = firstWord(statement, lowering);
  return word === undefined ? undefined : { value: word.text, at: word };
}

export function readInterface(statement: Statement, lowering: Lowering): Said<string> | undefined {
  const word = firstWord(statement, lowering);
  return word === undefined ? undefined : interfaceWord(word, lowering);
}

export function interfaceWord(word: Word, lowering: Lowering): Said<string> | undefined {
  if (isInterfaceName(word.text)) return { value: word.text, at: word };
  report(
    lowering,
    "interface-name-invalid",
    word,
    `"${word.text}" cannot be the name of an interface`,
    `a name has 1 to ${LONGEST_INTERFACE_NAME} characters and no "/"`,
  );
  return undefined;
}

/** A value that is not what its keyword takes; the keyword then has no effect. */
export function reportValue(
  statement: Statement,
  word: Word,
  wanted: string,
  lowering: Lowering,
): void {
  report(
    lowering,
    "value-invalid",
    word,
    `${statement.keyword.text} takes ${wanted}, not "${word.text}"; the line has no effect`,
    `write ${wanted}`,
  );
}
