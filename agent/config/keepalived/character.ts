export const TAB = 9;
export const CARRIAGE_RETURN = 13;
export const SPACE = 32;
export const BANG = 33;
export const QUOTE = 34;
export const HASH = 35;
export const DOLLAR = 36;
export const APOSTROPHE = 39;
export const AT = 64;
export const BACKSLASH = 92;
export const OPEN_BRACE = 123;
export const CLOSE_BRACE = 125;
export const TILDE = 126;

/** What keepalived takes for white space: blank, tab, form feed, vertical tab and the line ends. */
export const isSpace = (code: number): boolean => code === SPACE || (code >= TAB && code <= 13);

export const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** A letter, digit or underscore: what names of definitions are made of. */
export const isNameCharacter = (code: number): boolean =>
  isDigit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;

export const isNameStart = (code: number): boolean => isNameCharacter(code) && !isDigit(code);

export function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

export function skipName(text: string, from: number): number {
  if (!isNameStart(text.charCodeAt(from))) return from;
  let at = from + 1;
  while (at < text.length && isNameCharacter(text.charCodeAt(at))) at += 1;
  return at;
}
