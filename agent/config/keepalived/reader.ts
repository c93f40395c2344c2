import type { Position } from "../position.ts";
import {
  AT,
  BACKSLASH,
  BANG,
  CLOSE_BRACE,
  DOLLAR,
  HASH,
  isSpace,
  OPEN_BRACE,
  QUOTE,
  TILDE,
} from "./character.ts";
import { trim, uncomment } from "./comment.ts";
import { readCondition } from "./condition.ts";
import type { ConfigHost } from "./config-host.ts";
import { Definitions, readDefinition, referenceAt } from "./definitions.ts";
import type { Findings } from "./findings.ts";
import { readGenerator } from "./generator.ts";
import type { IncludeChecks } from "./include.ts";
import {
  absolutePath,
  directoryOf,
  includeChecks,
  includedFiles,
  noIncludeChecks,
  readIncludeCheck,
} from "./include.ts";
import { findBrace, splitCommand, splitWords } from "./lexer.ts";
import type { Line } from "./source.ts";
import { line, positionAt, slice } from "./source.ts";
import type { Word } from "./tree.ts";

/** What the text consists of once everything is expanded: words on a line, and braces. */
export interface Sink {
  words(words: Word[]): void;
  open(position: Position): void;
  /** `first`: nothing but white space stands before the brace on its line. */
  close(position: Position, first: boolean): void;
}

/** keepalived's limit, its line end and terminator taken off. */
const maxLineLength = 1023;
/** Lines that definitions and generators may produce in one configuration. */
const maxExpandedLines = 2_000_000;
/** Nesting of includes, and of lines within lines. */
const maxNesting = 200;

/** A definition whose lines are being collected. */
interface Collected {
  readonly name: string;
  readonly lines: Line[];
}

/** Turns files into words and braces. */
export class Reader {
  readonly #host: ConfigHost;
  readonly #sink: Sink;
  readonly #findings: Findings;
  readonly #definitions: Definitions;
  readonly #isCommand: (keyword: string) => boolean;
  readonly #open: string[] = [];
  #directory = "/";
  #checks: IncludeChecks;
  #collected: Collected | undefined;
  #expanded = 0;
  #exhausted = false;

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
    this.#definitions = new Definitions(host);
    this.#isCommand = isCommand;
    this.#checks = checks;
  }

  /** Reads one file; includes are read where they stand. */
  read(file: string, text: string): void {
    const outer = { directory: this.#directory, checks: this.#checks };
    this.#open.push(absolutePath(file, this.#host.workingDirectory));
    this.#directory = directoryOf(file, this.#host.workingDirectory);
    this.#readLines(file, text);
    this.#finishCollecting();
    this.#open.pop();
    this.#directory = outer.directory;
    this.#checks = outer.checks;
  }

  #readLines(file: string, text: string): void {
    let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
    for (let number = 1; at < text.length; number += 1) {
      const newline = text.indexOf("\n", at);
      const end = newline < 0 ? text.length : newline;
      if (end - at > maxLineLength) {
        const message = `the line has ${end - at} characters`;
        this.#findings.add("line-too-long", { file, line: number, column: 1 }, "", message);
      }
      if (this.#collected !== undefined) this.#written(file, text.slice(at, end), number, 1);
      else this.#readPlain(file, text, at, end, number);
      at = end + 1;
    }
  }

  /**
   * Most lines hold plain words and braces. Whatever needs more (quotes, escapes, definitions,
   * conditions, generators, includes) is left to `#written`, from where plain words end.
   */
  #readPlain(file: string, text: string, from: number, end: number, number: number): void {
    let words: Word[] = [];
    let pieceStart = from;
    let at = from;
    while (at < end) {
      const code = text.charCodeAt(at);
      if (isSpace(code)) {
        at += 1;
      } else if (code === HASH || code === BANG) {
        break;
      } else if (code === OPEN_BRACE || code === CLOSE_BRACE) {
        if (words.length > 0) this.#sink.words(words);
        const position = { file, line: number, column: at - from + 1 };
        if (code === OPEN_BRACE) this.#sink.open(position);
        else this.#sink.close(position, pieceStart === from && words.length === 0);
        words = [];
        at += 1;
        pieceStart = at;
      } else {
        const wordEnd = plainWordEnd(text, at, end);
        const first = words.length === 0;
        if (wordEnd < 0 || (first && needsMore(text, at, code))) {
          this.#written(file, text.slice(pieceStart, end), number, pieceStart - from + 1);
          return;
        }
        const position = { file, line: number, column: at - from + 1 };
        words.push({ text: text.slice(at, wordEnd), position, quoted: false });
        at = wordEnd;
      }
    }
    if (words.length > 0) this.#sink.words(words);
  }

  /** A line, or the rest of one, as it stands in a file. */
  #written(file: string, text: string, number: number, column: number): void {
    const { line: content, continues, openQuote } = uncomment(line(text, file, number, column));
    if (openQuote !== undefined) {
      const position = { file, line: number, column: column + openQuote };
      const message = "the double quote is not closed on its line";
      this.#findings.add("unclosed-quote", position, text.slice(openQuote).trimEnd(), message);
    }
    if (this.#collected !== undefined) {
      if (content.text !== "") this.#collected.lines.push(content);
      if (!continues) this.#finishCollecting();
      return;
    }
    this.#process(content, continues, 0);
  }

  #finishCollecting(): void {
    if (this.#collected === undefined) return;
    const { name, lines } = this.#collected;
    this.#definitions.set(name, { kind: "lines", lines });
    this.#collected = undefined;
  }

  /** Conditions, definitions, generators, references, includes, in keepalived's order. */
  #process(source: Line, continues: boolean, depth: number): void {
    if (this.#exhausted) return;
    if (depth > maxNesting) {
      this.#tooDeep(source);
      return;
    }
    let current = trim(source);
    let following: readonly Line[] = [];
    for (let round = 0; ; round += 1) {
      const condition = readCondition(current.text, this.#host.configId);
      if (condition === undefined) return this.#processAll(following, depth);
      if (condition > 0) current = trim(slice(current, condition));
      if (this.#define(current, continues)) return this.#processAll(following, depth);
      if (current.text.charCodeAt(0) === TILDE) {
        this.#generate(current, depth);
        return this.#processAll(following, depth);
      }
      if (!current.text.includes("$")) break;
      const result = this.#definitions.substitute(current, this.#directory);
      if (!result.ok || round > maxNesting) {
        if (result.ok || result.reason === "too-deep") this.#tooDeep(current);
        else this.#tooLarge(current);
        return;
      }
      following = [...result.following, ...following];
      const changed = result.line !== current;
      current = trim(result.line);
      if (!changed) break;
    }
    this.#pieces(current, continues && following.length === 0, depth);
    this.#processAll(following, depth);
  }

  #processAll(lines: readonly Line[], depth: number): void {
    for (const each of lines) {
      if (!this.#count(each)) return;
      this.#process(each, false, depth + 1);
    }
  }

  /** Counts an expanded line; false when there have been too many. */
  #count(source: Line): boolean {
    if (this.#exhausted) return false;
    this.#expanded += 1;
    if (this.#expanded <= maxExpandedLines) return true;
    this.#tooLarge(source);
    return false;
  }

  #tooLarge(source: Line): void {
    this.#exhausted = this.#expanded > maxExpandedLines;
    const message = "the line expands to more than can be sensible";
    this.#findings.add("expansion-too-large", positionAt(source, 0), excerpt(source), message);
  }

  #tooDeep(source: Line): void {
    const message = "the definitions used here refer to each other without end";
    this.#findings.add("definition-too-deep", positionAt(source, 0), excerpt(source), message);
  }

  #define(source: Line, continues: boolean): boolean {
    const definition = readDefinition(source);
    if (definition === undefined) return false;
    const { name, value } = definition;
    if (continues) this.#collected = { name, lines: value.text === "" ? [] : [value] };
    else this.#definitions.set(name, { kind: "line", value: value.text });
    return true;
  }

  #generate(source: Line, depth: number): void {
    const expand = (text: string): string => {
      const result = this.#definitions.substitute(line(text, "", 0, 0), this.#directory);
      return result.ok && result.following.length === 0 ? result.line.text : text;
    };
    const generator = readGenerator(source.text, expand);
    if (!generator.ok) {
      const { reason } = generator;
      this.#findings.add("generator-invalid", positionAt(source, 0), excerpt(source), reason);
      return;
    }
    const rest = slice(source, generator.rest);
    for (let index = 0; index < generator.count; index += 1) {
      if (!this.#count(source)) return;
      for (const [name, value] of generator.bindings(index)) {
        this.#definitions.set(name, { kind: "line", value });
      }
      this.#process(rest, false, depth + 1);
    }
  }

  /** Splits at braces; what follows a brace is a line of its own. */
  #pieces(source: Line, continues: boolean, depth: number): void {
    let rest = source;
    while (rest.text !== "" && !this.#include(rest)) {
      const brace = findBrace(rest.text);
      if (brace < 0) {
        this.#emit(rest, continues);
        return;
      }
      if (brace > 0) this.#emit(slice(rest, 0, brace), false);
      const position = positionAt(rest, brace);
      if (rest.text.charCodeAt(brace) === OPEN_BRACE) this.#sink.open(position);
      else this.#sink.close(position, rest === source && brace === 0);
      rest = trim(slice(rest, brace + 1));
      if (needsMore(rest.text, 0, rest.text.charCodeAt(0)) || rest.text.startsWith("$")) {
        this.#process(rest, continues, depth + 1);
        return;
      }
    }
  }

  #emit(source: Line, continues: boolean): void {
    const keyword = /^\S*/.exec(source.text)?.[0] ?? "";
    const words = this.#isCommand(keyword) ? splitCommand(source) : splitWords(source);
    if (continues) {
      const position = positionAt(source, source.text.length);
      words.push({ text: "\\", position, quoted: false });
    }
    const [first, ...rest] = words;
    if (first === undefined) return;
    if (first.text === "include_check") {
      this.#checks = readIncludeCheck(
        rest.map((word) => word.text),
        this.#checks,
      );
    }
    if (source.text.includes("$")) this.#undefined(source);
    this.#sink.words(words);
  }

  /** Names what still looks like a reference, outside double quotes. */
  #undefined(source: Line): void {
    for (let at = 0; at < source.text.length; at += 1) {
      const code = source.text.charCodeAt(at);
      if (code === QUOTE) {
        at = source.text.indexOf('"', at + 1);
        if (at < 0) return;
      }
      if (code !== DOLLAR) continue;
      const reference = referenceAt(source.text, at);
      if (reference === undefined || this.#definitions.has(reference.name)) continue;
      const whole = at === 0 || isSpace(source.text.charCodeAt(at - 1));
      if (!reference.braces && !whole) continue;
      const text = source.text.slice(at, reference.end);
      const code_ = reference.braces ? "undefined-definition" : "undefined-name";
      const message = `$${reference.name} is not defined`;
      this.#findings.add(code_, positionAt(source, at), text, message);
    }
  }

  #include(source: Line): boolean {
    if (!source.text.startsWith("include")) return false;
    const [keyword, pattern, ...extra] = splitWords(source);
    const checks = keyword === undefined ? undefined : includeChecks(keyword.text, this.#checks);
    if (keyword === undefined || checks === undefined) return false;
    if (pattern === undefined) {
      const message = `${keyword.text} needs the name of a file`;
      this.#findings.add("missing-argument", keyword.position, keyword.text, message);
      return true;
    }
    if (extra[0] !== undefined) {
      const message = `${keyword.text} takes one name`;
      this.#findings.add("extra-words", extra[0].position, extra[0].text, message);
    }
    const found = includedFiles(pattern.text, this.#directory, this.#host);
    for (const { pattern: unmatched, check } of found.unmatched) {
      const code = checks[check] ? "include-unmatched-checked" : "include-unmatched";
      this.#findings.add(code, pattern.position, pattern.text, `nothing matches ${unmatched}`);
    }
    for (const path of found.paths) this.#includeFile(path, pattern);
    return true;
  }

  #includeFile(path: string, word: Word): void {
    if (this.#open.includes(path) || this.#open.length > maxNesting) {
      const message = `${path} is being read already, by way of ${this.#open.join(", ")}`;
      this.#findings.add("include-cycle", word.position, word.text, message);
      return;
    }
    const file = this.#host.readFile(path);
    if (file.ok) this.read(path, file.text);
    else {
      const message = `${path} cannot be read: ${file.errno}`;
      this.#findings.add("include-failed", word.position, word.text, message);
    }
  }
}

const excerpt = (source: Line): string => source.text.slice(0, 80);

/** Index after a word of plain characters; -1 when the word needs more than that. */
function plainWordEnd(text: string, from: number, end: number): number {
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code <= 36) {
      if (isSpace(code) || code === HASH || code === BANG) break;
      if (code === DOLLAR || code === QUOTE) return -1;
    } else if (code === BACKSLASH) return -1;
    else if (code === OPEN_BRACE || code === CLOSE_BRACE) break;
    at += 1;
  }
  return at;
}

/** Whether a line that begins so is a condition, generator or include, or sets its checks. */
function needsMore(text: string, at: number, code: number): boolean {
  return code === AT || code === TILDE || (code === 105 && text.startsWith("include", at));
}
