import { BACKSLASH, BANG, HASH, isSpace, QUOTE } from "./character.ts";
import type { Line } from "./source.ts";
import { LineBuilder, slice } from "./source.ts";

export interface Uncommented {
  /** Without comment, surrounding space, and the backslashes before `#` and `!`. */
  readonly line: Line;
  /** The line ended in `\`, which is not part of `line`; it may stand behind a comment. */
  readonly continues: boolean;
  /** Index, in the line as written, of a double quote that nothing closes. */
  readonly openQuote: number | undefined;
}

/** Takes the comment off a line. `#` and `!` count outside double quotes only. */
export function uncomment(source: Line): Uncommented {
  const { text } = source;
  const dropped: number[] = [];
  let openQuote: number | undefined;
  let at = 0;
  while (at < text.length && !isCommentStart(text.charCodeAt(at))) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) {
      if (isCommentStart(text.charCodeAt(at + 1))) dropped.push(at);
      at += 1;
    } else if (code === QUOTE) {
      const open = at;
      at = closingQuote(text, at + 1);
      if (at === text.length) openQuote = open;
    }
    at += 1;
  }
  const continues = endsInBackslash(text, at);
  const end = at >= text.length && continues ? text.length - 1 : Math.min(at, text.length);
  return { line: trim(without(source, dropped, end)), continues, openQuote };
}

/** Index of the double quote that ends a string; the length of the text when none does. */
function closingQuote(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) {
    at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return Math.min(at, text.length);
}

const isCommentStart = (code: number): boolean => code === HASH || code === BANG;

/** Whether the text, read from a place that no backslash escapes, ends in a lone backslash. */
function endsInBackslash(text: string, from: number): boolean {
  let at = text.length;
  while (at > 0 && text.charCodeAt(at - 1) === BACKSLASH) at -= 1;
  // Behind a comment's beginning, only backslashes of the comment itself pair up.
  const run = text.length - (from < text.length ? Math.max(at, from) : at);
  return run % 2 === 1;
}

function without(source: Line, dropped: readonly number[], end: number): Line {
  if (dropped.length === 0) return end === source.text.length ? source : slice(source, 0, end);
  const builder = new LineBuilder();
  let from = 0;
  for (const at of dropped) {
    builder.append(source, from, at);
    from = at + 1;
  }
  builder.append(source, from, end);
  return builder.line();
}

/** Without white space at its beginning and end. */
export function trim(source: Line): Line {
  const text = source.text;
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from += 1;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to -= 1;
  return from === 0 && to === text.length ? source : slice(source, from, to);
}
