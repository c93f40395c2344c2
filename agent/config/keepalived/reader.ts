import type { Position } from "../position.ts";
import {
  AT,
  BACKSLASH,
  BANG,
  CARRIAGE_RETURN,
  CLOSE_BRACE,
  DOLLAR,
  HASH,
  isSpace,
  OPEN_BRACE,
  QUOTE,
  TILDE,
} from "./character.ts";
import { trim, uncomment } from "./comment.ts";
import type { ConfigHost } from "./config-host.ts";
import { referenceAt } from "./definitions.ts";
import { Expander } from "./expander.ts";
import type { Findings } from "./findings.ts";
import type { IncludeChecks } from "./include.ts";
import { absolutePath, directoryOf, noIncludeChecks } from "./include.ts";
import { Includer } from "./includer.ts";
import { findBrace, splitCommand, splitWords } from "./lexer.ts";
import type { Line } from "./source.ts";
import { line, positionAt, slice } from "./source.ts";
import type { Word } from "./tree.ts";

/** What the text consists of once everything is expanded: words on a line, and braces. */
export interface Sink {
  words(keyword: Word, words: readonly Word[]): void;
  open(position: Position): void;
  /** `first`: nothing but white space stands before the brace on its line. */
  close(position: Position, first: boolean): void;
}

/** keepalived's limit, its line end and terminator taken off. */
const maxLineLength = 1023;
/** A byte order mark: keepalived takes it for a part of the first word. */
const byteOrderMark = 0xfeff;

/** Turns files into words and braces. */
export class Reader {
  readonly #host: ConfigHost;
  readonly #sink: Sink;
  readonly #findings: Findings;
  readonly #isCommand: (keyword: string) => boolean;
  readonly #expander: Expander;
  readonly #includer: Includer;
  /** The last character of the line that was read last. */
  #lineEnd: Position = { file: "", line: 1, column: 1 };

  constructor(
    host: ConfigHost,
    sink: Sink,
    findings: Findings,
    isCommand: (keyword: string) => boolean,
    checks: IncludeChecks = noIncludeChecks,
  ) {
    this.#host = host;
    this.#sink = sink;
    this.#findings = findings;
    this.#isCommand = isCommand;
    this.#expander = new Expander(host, findings, (...args) => this.#pieces(...args));
    this.#includer = new Includer(host, findings, (...args) => this.read(...args), checks);
  }

  /** Reads one file; includes are read where they stand. */
  read(file: string, text: string): void {
    const outer = this.#expander.directory;
    this.#expander.directory = directoryOf(file, this.#host.workingDirectory);
    this.#includer.within(absolutePath(file, this.#host.workingDirectory), () => {
      this.#readLines(file, text);
      this.#expander.endCollecting();
    });
    this.#expander.directory = outer;
  }

  #readLines(file: string, text: string): void {
    let at = text.charCodeAt(0) === byteOrderMark ? 1 : 0;
    for (let number = 1; at < text.length; number += 1) {
      const newline = text.indexOf("\n", at);
      const next = newline < 0 ? text.length : newline;
      let end = next;
      while (end > at && text.charCodeAt(end - 1) === CARRIAGE_RETURN) end -= 1;
      if (end - at > maxLineLength) {
        const message = `the line has ${end - at} characters`;
        this.#findings.add("line-too-long", { file, line: number, column: 1 }, "", message);
      }
      if (this.#expander.collecting) this.#written(file, text.slice(at, end), number, 1);
      else this.#readPlain(file, text, at, end, number);
      at = next + 1;
    }
  }

  /**
   * Most lines hold plain words and braces. Whatever needs more (quotes, escapes, definitions,
   * conditions, generators, includes) is left to `#written`, from where plain words end.
   */
  #readPlain(file: string, text: string, from: number, end: number, number: number): void {
    let at = skipBlanks(text, from, end);
    let first = true;
    while (at < end) {
      const code = text.charCodeAt(at);
      if (isCommentStart(code)) return;
      const column = at - from + 1;
      if (isBrace(code)) {
        this.#brace(code, { file, line: number, column }, first);
        at += 1;
      } else {
        const next = this.#readWords(file, text, at, end, number, from);
        if (next < 0) {
          this.#written(file, text.slice(at, end), number, column);
          return;
        }
        at = next;
      }
      first = false;
      at = skipBlanks(text, at, end);
    }
  }

  /** Reads words up to a brace, comment or line end; -1: there is more to the line than words. */
  #readWords(
    file: string,
    text: string,
    from: number,
    end: number,
    number: number,
    lineStart: number,
  ): number {
    let keyword: Word | undefined;
    let words: Word[] | undefined;
    let at = from;
    if (needsMore(text, at)) return -1;
    while (at < end) {
      const wordEnd = plainWordEnd(text, at, end);
      if (wordEnd < 0) return -1;
      if (wordEnd === at) break;
      const word = new PlainWord(text.slice(at, wordEnd), file, number, at - lineStart + 1);
      if (keyword === undefined) keyword = word;
      else if (words === undefined) words = [word];
      else words.push(word);
      at = skipBlanks(text, wordEnd, end);
    }
    if (keyword !== undefined) this.#sink.words(keyword, words ?? noWords);
    return at;
  }

  #brace(code: number, position: Position, first: boolean): void {
    if (code === OPEN_BRACE) this.#sink.open(position);
    else this.#sink.close(position, first);
  }

  /** A line, or the rest of one, as it stands in a file. */
  #written(file: string, text: string, number: number, column: number): void {
    const { line: content, continues, openQuote } = uncomment(line(text, file, number, column));
    if (continues) this.#lineEnd = { file, line: number, column: column + text.length - 1 };
    if (openQuote !== undefined) {
      const position = { file, line: number, column: column + openQuote };
      const message = "the double quote is not closed on its line";
      this.#findings.add("unclosed-quote", position, text.slice(openQuote).trimEnd(), message);
    }
    if (this.#expander.collecting) this.#expander.collect(content, continues);
    else this.#expander.expand(content, continues, 0);
  }

  /** Splits at braces; what follows a brace is a line of its own. */
  #pieces(source: Line, continues: boolean, depth: number): void {
    let rest = source;
    while (rest.text !== "" && !this.#includer.include(rest, this.#expander.directory)) {
      const brace = findBrace(rest.text);
      if (brace < 0) {
        this.#emit(rest, continues);
        return;
      }
      if (brace > 0) this.#emit(slice(rest, 0, brace), false);
      const first = rest === source && brace === 0;
      this.#brace(rest.text.charCodeAt(brace), positionAt(rest, brace), first);
      rest = trim(slice(rest, brace + 1));
      if (needsMore(rest.text, 0) || rest.text.startsWith("$")) {
        this.#expander.expand(rest, continues, depth + 1);
        return;
      }
    }
  }

  #emit(source: Line, continues: boolean): void {
    const keyword = /^\S*/.exec(source.text)?.[0] ?? "";
    const [first, ...rest] = this.#isCommand(keyword) ? splitCommand(source) : splitWords(source);
    if (first === undefined) return;
    if (continues) {
      rest.push({ text: "\\", position: this.#lineEnd, quoted: false });
    }
    if (first.text === "include_check") this.#includer.setChecks(rest);
    if (source.text.includes("$")) this.#undefined(source);
    this.#sink.words(first, rest);
  }

  /** Names what still looks like a reference, outside double quotes. */
  #undefined(source: Line): void {
    for (const at of unquotedDollars(source.text)) {
      const reference = referenceAt(source.text, at);
      if (reference === undefined || this.#expander.definitions.has(reference.name)) continue;
      const whole = at === 0 || isSpace(source.text.charCodeAt(at - 1));
      if (!reference.braces && !whole) continue;
      const text = source.text.slice(at, reference.end);
      const code = reference.braces ? "undefined-definition" : "undefined-name";
      const message = `$${reference.name} is not defined`;
      this.#findings.add(code, positionAt(source, at), text, message);
    }
  }
}

const noWords: readonly Word[] = [];

/** A word as it stands. Large files have very many, and few of their places are ever asked for. */
class PlainWord implements Word {
  readonly text: string;
  readonly quoted = false;
  readonly #file: string;
  readonly #line: number;
  readonly #column: number;

  constructor(text: string, file: string, line: number, column: number) {
    this.text = text;
    this.#file = file;
    this.#line = line;
    this.#column = column;
  }

  get position(): Position {
    return { file: this.#file, line: this.#line, column: this.#column };
  }
}

const isCommentStart = (code: number): boolean => code === HASH || code === BANG;
const isBrace = (code: number): boolean => code === OPEN_BRACE || code === CLOSE_BRACE;

function skipBlanks(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** Index after a word of plain characters; -1 when the word needs more than that. */
function plainWordEnd(text: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (isSpace(code) || isCommentStart(code) || isBrace(code)) break;
    if (code === DOLLAR || code === QUOTE || code === BACKSLASH) return -1;
    at += 1;
  }
  return at;
}

const letterI = 105;

/** Whether a line that begins so is a condition, generator or include, or sets its checks. */
function needsMore(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === AT || code === TILDE || (code === letterI && text.startsWith("include", at));
}

/** Indices of dollar signs outside double quotes. */
function unquotedDollars(text: string): readonly number[] {
  const found: number[] = [];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) quoted = !quoted;
    else if (code === DOLLAR && !quoted) found.push(at);
  }
  return found;
}
