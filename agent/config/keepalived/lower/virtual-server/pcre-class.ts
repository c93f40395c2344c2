/** Members of character classes as JavaScript writes them, in bytes or, with `utf`, in characters. */

/** What `\s` is in PCRE2; JavaScript's has more. */
export const SPACE = "\\t-\\r ";

const WIDE_BLANK = "\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000";

/** `\h` and `\v`. */
export const blank = (utf: boolean): string => `\\t \\xa0${utf ? WIDE_BLANK : ""}`;
export const vertical = (utf: boolean): string => `\\n-\\r\\x85${utf ? "\\u2028\\u2029" : ""}`;

/** What is no `\s`. */
export const notSpace = (utf: boolean): string =>
  `\\x00-\\x08\\x0e-\\x1f!-${utf ? "\\u{10ffff}" : "\\xff"}`;

/** [:name:] of POSIX. */
export const POSIX: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space: SPACE,
  upper: "A-Z",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};
