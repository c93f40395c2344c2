import type { Micros } from "../../core/time.ts";
import { parseDuration } from "../../policy/duration.ts";

interface Word {
  readonly text: string;
  /** From 1. */
  readonly column: number;
  readonly quoted: boolean;
}

/** Where a line stands. */
export interface LinePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"#][^\s"]*))/y;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** The words of one line of a scenario, read from left to right. Whatever does not fit is a SyntaxError. */
export class Words {
  readonly place: LinePlace;
  readonly #words: readonly Word[];
  readonly #end: number;
  #next = 0;
  /** How the statement is written, for those who wrote it otherwise. */
  usage = "";

  constructor(place: LinePlace, text: string) {
    this.place = place;
    this.#end = text.trimEnd().length + 1;
    this.#words = this.#split(text);
  }

  get empty(): boolean {
    return this.#next >= this.#words.length;
  }

  get rest(): readonly string[] {
    return this.#words.slice(this.#next).map(({ text }) => text);
  }

  /** A span such as `10s`, where the next word is one. */
  optionalTime(): Micros | undefined {
    const word = this.#words[this.#next];
    const time = word?.quoted === false ? parseDuration(word.text) : undefined;
    if (time !== undefined) this.#next += 1;
    return time;
  }

  text(what: string): string {
    const word = this.#words[this.#next];
    if (word === undefined) throw this.fault(`${what} is missing`);
    this.#next += 1;
    return word.text;
  }

  /** The next word where there is one that none of these keywords is. */
  optionalText(...keywords: readonly string[]): string | undefined {
    const word = this.#words[this.#next];
    if (word === undefined || (!word.quoted && keywords.includes(word.text))) return undefined;
    this.#next += 1;
    return word.text;
  }

  time(what: string): Micros {
    const time = this.optionalTime();
    if (time === undefined) throw this.fault(`${what} is a time such as 500ms or 10s`);
    return time;
  }

  wholeNumber(what: string, least: number, most: number): number {
    const text = this.text(what);
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw this.#faultBefore(`${what} is a whole number, ${least}–${most}`);
  }

  /** The next word, which is one of these. */
  choice<const Choice extends string>(choices: readonly Choice[]): Choice {
    const found = this.optionalChoice(choices);
    if (found !== undefined) return found;
    const list = choices.join(", ");
    const [word] = this.rest;
    throw this.fault(
      word === undefined ? `one of ${list} is missing` : `${word} is none of ${list}`,
    );
  }

  optionalChoice<const Choice extends string>(choices: readonly Choice[]): Choice | undefined {
    const word = this.#words[this.#next];
    const found = word?.quoted === false ? choices.find((each) => each === word.text) : undefined;
    if (found !== undefined) this.#next += 1;
    return found;
  }

  /** Nothing is left. */
  end(): void {
    if (!this.empty) throw this.fault(`${this.rest[0] ?? ""} is one word too many`);
  }

  /** What is wrong at the next word. */
  fault(message: string): SyntaxError {
    return this.#faultAt(this.#words[this.#next]?.column ?? this.#end, message);
  }

  #faultBefore(message: string): SyntaxError {
    return this.#faultAt(this.#words[this.#next - 1]?.column ?? 1, message);
  }

  #faultAt(column: number, message: string): SyntaxError {
    const { file, line } = this.place;
    const hint = this.usage === "" ? "" : `; write: ${this.usage}`;
    return new SyntaxError(`${file}:${line}:${column}: ${message}${hint}`);
  }

  #split(text: string): readonly Word[] {
    const words: Word[] = [];
    let at = 0;
    for (;;) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(text);
      if (match === null) break;
      const [all, quoted, plain = ""] = match;
      const column = at + all.length - all.trimStart().length + 1;
      at = TOKEN.lastIndex;
      const bare = { text: plain, column, quoted: false };
      words.push(
        quoted === undefined ? bare : { text: withoutEscapes(quoted), column, quoted: true },
      );
    }
    const left = text.slice(at).trimStart();
    if (left === "" || left.startsWith("#")) return words;
    const column = text.length - left.length + 1;
    throw this.#faultAt(column, "a quote that is not closed, or is followed by more than a space");
  }
}

const withoutEscapes = (text: string): string =>
  text.replace(/\\(.)/g, (_, letter: string) => ESCAPES.get(letter) ?? letter);
