import { utf8 } from "../utf8.ts";
import { blank, notSpace, POSIX, SPACE, vertical } from "./pcre-class.ts";
import type { PcreOptions } from "./pcre-options.ts";

export type TranslatedPattern =
  | { readonly ok: true; readonly pattern: string; readonly flags: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Writes a pattern of PCRE2 as one of JavaScript that matches the same, or says what of it cannot be
 * written so. Without `utf` both match bytes. A newline is a line feed.
 */
export function translatePattern(text: string, options: PcreOptions): TranslatedPattern {
  try {
    const pattern = new Translation(text, { ...options }).pattern();
    const flags = `${pattern.caseless ? "i" : ""}${options.utf ? "u" : ""}`;
    new RegExp(pattern.source, flags);
    return { ok: true, pattern: pattern.source, flags };
  } catch (error) {
    if (error instanceof Unsupported) return { ok: false, reason: error.message };
    if (error instanceof SyntaxError) return { ok: false, reason: "it is no pattern" };
    throw error;
  }
}

/** What has no equal in JavaScript. */
class Unsupported extends Error {}

const refuse = (reason: string): never => {
  throw new Unsupported(reason);
};

const QUANTIFIER = /[*+?]|\{[0-9]+(?:,[0-9]*)?\}/y;
/** Groups that both languages write alike. */
const SAME_GROUP = /\(\?(?:[:=!]|<[=!])/y;
const NAMED_GROUP = /\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/y;
const REMARK = /\(\?#[^)]*\)/y;
const FLAGS = /\(\?([imsxUnJ]+)\)/y;
const POSIX_CLASS = /\[:(\^?)(\w+):\]/y;
const PROPERTY = /[pP](?:\{([\w=]+)\}|([A-Z]))/y;
const SYNTAX: ReadonlySet<string> = new Set("^$\\.*+?()[]{}|/");

class Translation {
  readonly #text: string;
  readonly #options: PcreOptions;
  #at = 0;
  #out = "";

  constructor(text: string, options: PcreOptions) {
    this.#text = text;
    this.#options = options;
  }

  pattern(): { readonly source: string; readonly caseless: boolean } {
    for (;;) {
      const flags = this.#match(FLAGS)?.[1];
      if (flags === undefined) break;
      this.#setFlags(flags);
    }
    while (this.#at < this.#text.length) this.#next();
    return { source: this.#out === "" ? "(?:)" : this.#out, caseless: this.#options.caseless };
  }

  #match(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at;
    const found = form.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#at = form.lastIndex;
    return found;
  }

  #take(): string {
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    return character;
  }

  #setFlags(flags: string): void {
    const options = this.#options;
    if (flags.includes("i")) options.caseless = true;
    if (flags.includes("m")) options.multiline = true;
    if (flags.includes("s")) options.dotall = true;
    if (flags.includes("x")) options.extended = true;
    if (flags.includes("U")) options.ungreedy = true;
    if (flags.includes("n")) options.noCapture = true;
  }

  #next(): void {
    const quantifier = this.#match(QUANTIFIER)?.[0];
    if (quantifier !== undefined) {
      this.#quantifier(quantifier);
      return;
    }
    if (this.#text[this.#at] === "(") {
      this.#group();
      return;
    }
    const character = this.#take();
    if (this.#options.extended && this.#skipped(character)) return;
    if (character === "\\") this.#escape();
    else if (character === "[") this.#class();
    else this.#out += this.#plain(character);
  }

  #skipped(character: string): boolean {
    if (character === "#") {
      const end = this.#text.indexOf("\n", this.#at);
      this.#at = end < 0 ? this.#text.length : end + 1;
      return true;
    }
    return /[\t-\r ]/.test(character);
  }

  #quantifier(quantifier: string): void {
    const after = this.#text[this.#at];
    if (after === "+") refuse("possessive quantifiers are not known here");
    if (after === "?") this.#at += 1;
    const lazy = (after === "?") !== this.#options.ungreedy;
    this.#out += `${quantifier}${lazy ? "?" : ""}`;
  }

  #group(): void {
    const same = this.#match(SAME_GROUP)?.[0];
    const named = same === undefined ? this.#match(NAMED_GROUP) : undefined;
    if (same !== undefined) this.#out += same;
    else if (named !== undefined) this.#out += `(?<${named[1] ?? named[2]}>`;
    else if (this.#match(REMARK) === undefined) {
      const begin = this.#text.slice(this.#at, this.#at + 3);
      if (begin.startsWith("(?") || begin.startsWith("(*")) {
        refuse(`groups that begin with ${begin} are not known here`);
      }
      this.#at += 1;
      this.#out += this.#options.noCapture ? "(?:" : "(";
    }
  }

  #plain(character: string): string {
    const { multiline, dotall, dollarEndOnly, altCircumflex } = this.#options;
    switch (character) {
      case ".":
        return dotall ? "[\\s\\S]" : "[^\\n]";
      case "^":
        if (!multiline) return "^";
        return altCircumflex ? "(?:^|(?<=\\n))" : "(?:^|(?<=\\n)(?!$))";
      case "$":
        if (multiline) return "(?=\\n|$)";
        return dollarEndOnly ? "$" : "(?=\\n?$)";
      case "|":
      case ")":
        return character;
      default:
        return this.#literal(character);
    }
  }

  /** A character that stands for itself, outside and inside classes. */
  #literal(character: string): string {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return SYNTAX.has(character) ? `\\${character}` : character;
    return this.#options.utf
      ? character
      : utf8(character)
          .map((byte) => this.#code(byte))
          .join("");
  }

  #code(code: number): string {
    const { utf, caseless } = this.#options;
    if (utf) return code > 0x10ffff ? refuse("it names no character") : `\\u{${code.toString(16)}}`;
    if (code > 0xff) refuse("a character beyond one byte needs regex_options utf");
    if (code >= 0x80 && caseless) refuse("caseless letters beyond ASCII need regex_options utf");
    return `\\x${code.toString(16).padStart(2, "0")}`;
  }

  #escape(): void {
    const { utf } = this.#options;
    const coded = this.#codeEscape(false);
    if (coded !== undefined) {
      this.#out += coded;
      return;
    }
    const character = this.#take();
    const whole: Readonly<Record<string, string>> = {
      A: "^",
      H: `[^${blank(utf)}]`,
      N: "[^\\n]",
      S: `[^${SPACE}]`,
      V: `[^${vertical(utf)}]`,
      Z: "(?=\\n?$)",
      h: `[${blank(utf)}]`,
      s: `[${SPACE}]`,
      v: `[${vertical(utf)}]`,
      z: "$",
    };
    if ("dDwWbB".includes(character)) this.#out += `\\${character}`;
    else if (Object.hasOwn(whole, character)) this.#out += whole[character];
    else if (character === "Q") this.#quoted();
    else if (/[1-9]/.test(character)) this.#reference(character);
    else if (character !== "E") this.#out += this.#escapedLiteral(character);
  }

  /** \Q…\E */
  #quoted(): void {
    const end = this.#text.indexOf("\\E", this.#at);
    const stop = end < 0 ? this.#text.length : end;
    while (this.#at < stop) this.#out += this.#literal(this.#take());
  }

  #reference(digit: string): void {
    if (this.#options.noCapture || /[0-9]/.test(this.#text[this.#at] ?? "")) {
      refuse("this reference to a group is not known here");
    }
    if (!this.#options.unsetReference) {
      refuse(
        "a reference to a group that is unset would match; write regex_options match_unset_backref",
      );
    }
    this.#out += `(?:\\${digit})`;
  }

  #escapedLiteral(character: string): string {
    if (/[0-9A-Za-z]/.test(character)) refuse(`\\${character} is not known here`);
    return this.#literal(character);
  }

  /** Escapes that name one character by its code, and properties: both are alike within a class. */
  #codeEscape(inClass: boolean): string | undefined {
    const { utf, altEscapes } = this.#options;
    const property = this.#match(PROPERTY);
    if (property !== undefined) {
      if (!utf) refuse("properties of characters need regex_options utf");
      const [all, long, short] = property;
      return `\\${all[0]}{${long ?? short}}`;
    }
    const octal = this.#match(inClass ? /[0-7]{1,3}/y : /0[0-7]{0,2}|[1-3][0-7]{2}/y)?.[0];
    if (octal !== undefined) return this.#code(Number.parseInt(octal, 8));
    const form = altEscapes
      ? /(?:x([0-9a-f]{2})|u([0-9a-f]{4}))/iy
      : /x(?:\{([0-9a-f]{1,6})\}|([0-9a-f]{0,2}))/iy;
    const hex = this.#match(form);
    if (hex !== undefined) return this.#code(Number.parseInt(hex[1] ?? (hex[2] || "0"), 16));
    const control = this.#match(/c([ -~])/y)?.[1];
    if (control !== undefined) return this.#code(control.toUpperCase().charCodeAt(0) ^ 0x40);
    const single = this.#match(/[aefnrt]/y)?.[0];
    if (single === undefined) return undefined;
    return single === "a" ? "\\x07" : single === "e" ? "\\x1b" : `\\${single}`;
  }

  #class(): void {
    const { emptyClass } = this.#options;
    this.#out += "[";
    if (this.#text[this.#at] === "^") {
      this.#at += 1;
      this.#out += "^";
    }
    if (!emptyClass && this.#text[this.#at] === "]") {
      this.#at += 1;
      this.#out += "\\]";
    }
    while (this.#at < this.#text.length && this.#text[this.#at] !== "]") this.#member();
    if (this.#at >= this.#text.length) refuse("a class is not closed");
    this.#at += 1;
    this.#out += "]";
  }

  #member(): void {
    const posix = this.#match(POSIX_CLASS);
    if (posix !== undefined) {
      const set = Object.hasOwn(POSIX, posix[2] ?? "") ? POSIX[posix[2] ?? ""] : undefined;
      if (set === undefined || posix[1] === "^") refuse(`${posix[0]} is not known here`);
      this.#out += set;
      return;
    }
    const character = this.#take();
    if (character === "\\") this.#classEscape();
    else this.#out += character === "-" ? "-" : this.#literal(character);
  }

  #classEscape(): void {
    const { utf } = this.#options;
    const coded = this.#codeEscape(true);
    if (coded !== undefined) {
      this.#out += coded;
      return;
    }
    const character = this.#take();
    const sets: Readonly<Record<string, string>> = {
      S: notSpace(utf),
      h: blank(utf),
      s: SPACE,
      v: vertical(utf),
    };
    if ("dDwWb".includes(character)) this.#out += `\\${character}`;
    else if (Object.hasOwn(sets, character)) this.#out += sets[character];
    else if (character === "-") this.#out += "\\-";
    else this.#out += this.#escapedLiteral(character);
  }
}
