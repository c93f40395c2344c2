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
  const text = source.text;
  const dropped: number[] = [];
  let openQuote: number | undefined;
  let end: number | undefined;
  let continues = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) {
      const next = text.charCodeAt(at + 1);
      continues = at + 1 === text.length;
      if ((next === HASH || next === BANG) && openQuote === undefined && end === undefined) {
        dropped.push(at);
      }
      at += 1;
    } else if (end !== undefined) {
    } else if (code === QUOTE) {
      openQuote = openQuote === undefined ? at : undefined;
    } else if ((code === HASH || code === BANG) && openQuote === undefined) {
      end = at;
    }
  }
  end ??= continues ? text.length - 1 : text.length;
  return { line: trim(without(source, dropped, end)), continues, openQuote };
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
