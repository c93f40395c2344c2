import {
  APOSTROPHE,
  BACKSLASH,
  CLOSE_BRACE,
  DOLLAR,
  isSpace,
  OPEN_BRACE,
  QUOTE,
  skipSpace,
} from "./character.ts";
import type { Line } from "./source.ts";
import { positionAt } from "./source.ts";
import type { Word } from "./tree.ts";

/**
 * Splits a line as keepalived splits most lines: at white space; a double quote begins a word that
 * reaches to the next one; no escapes.
 */
export function splitWords(line: Line): Word[] {
  const { text } = line;
  const words: Word[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const start = at;
    if (text.charCodeAt(at) === QUOTE) {
      const close = text.indexOf('"', at + 1);
      const end = close < 0 ? text.length : close;
      words.push({
        text: text.slice(at + 1, end),
        position: positionAt(line, start),
        quoted: true,
      });
      at = end + 1;
    } else {
      while (at < text.length && !isSpace(text.charCodeAt(at)) && text.charCodeAt(at) !== QUOTE) {
        at += 1;
      }
      words.push({ text: text.slice(start, at), position: positionAt(line, start), quoted: false });
    }
    at = skipSpace(text, at);
  }
  return words;
}

/** Splits a line that holds a command: both kinds of quotes, within words too, and C's escapes. */
export function splitCommand(line: Line): Word[] {
  const words: Word[] = [];
  let at = skipSpace(line.text, 0);
  while (at < line.text.length) {
    const start = at;
    const { value, next, quoted } = commandWord(line.text, at);
    words.push({ text: value, position: positionAt(line, start), quoted });
    at = skipSpace(line.text, next);
  }
  return words;
}

/**
 * Splits the text of a command as it stands between its quotes in a line; `undefined`: a quote within
 * it is not closed.
 */
export function splitCommandText(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const { value, next, closed } = commandWord(text, at);
    if (!closed) return undefined;
    words.push(value);
    at = skipSpace(text, next);
  }
  return words;
}

function commandWord(text: string, from: number) {
  const parts: string[] = [];
  let quote = 0;
  let quoted = false;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (quote === 0 && isSpace(code)) break;
    if (code === BACKSLASH && at + 1 < text.length) {
      const { value, next } = readEscape(text, at + 1);
      parts.push(value);
      at = next;
    } else if (isQuote(code) && (quote === 0 || quote === code)) {
      quote = quote === 0 ? code : 0;
      quoted = true;
      at += 1;
    } else {
      const start = at;
      at = plainEnd(text, at + 1, quote);
      parts.push(text.slice(start, at));
    }
  }
  return { value: parts.join(""), next: at, quoted, closed: quote === 0 };
}

const isQuote = (code: number): boolean => code === QUOTE || code === APOSTROPHE;

function plainEnd(text: string, from: number, quote: number): number {
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH || isQuote(code)) break;
    if (quote === 0 && isSpace(code)) break;
    at += 1;
  }
  return at;
}

const namedEscapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  E: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** Reads the escape whose backslash stands before `at`. */
function readEscape(text: string, at: number): { value: string; next: number } {
  const code = text[at] ?? "";
  const numeric = /x[0-9a-fA-F]+|[0-7]{1,3}/y;
  numeric.lastIndex = at;
  const digits = numeric.exec(text)?.[0];
  if (digits !== undefined) {
    // As in C, only the last eight bits of a long hexadecimal escape count.
    const value = digits.startsWith("x")
      ? Number.parseInt(digits.slice(-2).replace("x", ""), 16)
      : Number.parseInt(digits, 8) & 0xff;
    return { value: String.fromCharCode(value), next: at + digits.length };
  }
  if (code === "c" && at + 1 < text.length) {
    return { value: String.fromCharCode(text.charCodeAt(at + 1) & 0x1f), next: at + 2 };
  }
  return { value: namedEscapes[code] ?? code, next: at + 1 };
}

/**
 * Index of the first brace outside double quotes, or -1. `${NAME}` that is not defined is left
 * alone: its braces are no block, and it has its own finding.
 */
export function findBrace(text: string): number {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = text.indexOf('"', at + 1);
      if (at < 0) return -1;
    } else if (code === DOLLAR && text.charCodeAt(at + 1) === OPEN_BRACE) {
      const close = text.indexOf("}", at);
      if (close < 0) return -1;
      at = close;
    } else if (code === OPEN_BRACE || code === CLOSE_BRACE) {
      return at;
    }
  }
  return -1;
}
