import { skipSpace } from "./character.ts";

/** Values for one repetition of a line, by the names of definitions. */
export type Bindings = readonly (readonly [name: string, value: string])[];

/** `~SEQ(…)` or `~LST(…)`, read from the beginning of a line. */
export type Generator =
  | {
      readonly ok: true;
      readonly count: number;
      bindings(index: number): Bindings;
      /** Index of what is repeated. */
      readonly rest: number;
    }
  | { readonly ok: false; readonly reason: string };

/** Reads the generator that a line begins with. `expand` replaces definitions in its arguments. */
export function readGenerator(text: string, expand: (text: string) => string): Generator {
  const kind = /^~(SEQx|SEQ|LST)/.exec(text)?.[1];
  if (kind === undefined) return fail("only ~SEQ, ~SEQx and ~LST begin with ~");
  const open = skipSpace(text, kind.length + 1);
  const close = text[open] === "(" ? closingParenthesis(text, open) : -1;
  if (close < 0) return fail(`~${kind} needs its arguments in parentheses`);
  const fields = splitFields(text.slice(open + 1, close)).map((field) => expand(field).trim());
  const rest = skipSpace(text, close + 1);
  return kind === "LST" ? list(fields, rest) : sequence(fields, rest, kind === "SEQx");
}

const fail = (reason: string): Generator => ({ ok: false, reason });

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

function sequence(fields: readonly string[], rest: number, hexadecimal: boolean): Generator {
  const [name = "", ...texts] = fields;
  const numbers = texts.map(readInteger);
  if (!namePattern.test(name)) return fail(`"${name}" is not a name`);
  if (numbers.length < 1 || numbers.length > 3) return fail("~SEQ takes a name and 1 to 3 numbers");
  const wrong = numbers.indexOf(undefined);
  if (wrong >= 0) return fail(`"${texts[wrong]}" is not a whole number`);
  const { start, step, end } = bounds(numbers.map((value) => value ?? 0));
  if (step === 0 || (end - start) * step < 0) {
    return fail(`from ${start} in steps of ${step} never comes to ${end}`);
  }
  if (hexadecimal && (start < 0 || end < 0)) return fail("~SEQx takes no negative numbers");
  return {
    ok: true,
    count: Math.floor((end - start) / step) + 1,
    bindings: (index) => [[name, (start + index * step).toString(hexadecimal ? 16 : 10)]],
    rest,
  };
}

/** `(end)`, `(start, end)` or `(start, step, end)`. */
function bounds(numbers: readonly number[]) {
  const [one = 0, two = 0, three = 0] = numbers;
  if (numbers.length === 1) return { start: one < 0 ? -1 : 1, step: one < 1 ? -1 : 1, end: one };
  if (numbers.length === 2) return { start: one, step: one <= two ? 1 : -1, end: two };
  return { start: one, step: two, end: three };
}

/** A whole number as C reads it: decimal, 0x… or 0… (octal). */
function readInteger(text: string): number | undefined {
  const match = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]+)|(\d+))$/.exec(text);
  if (match === null) return undefined;
  const [, sign, hexadecimal, octal, decimal = "0"] = match;
  const value =
    hexadecimal !== undefined
      ? Number.parseInt(hexadecimal, 16)
      : octal !== undefined
        ? Number.parseInt(octal, 8)
        : Number.parseInt(decimal, 10);
  return Number.isSafeInteger(value) ? (sign === "-" ? -value : value) : undefined;
}

function list(fields: readonly string[], rest: number): Generator {
  const [head = "", ...rows] = fields;
  const grouped = head.startsWith("{");
  const names = grouped ? group(head) : [head];
  if (names === undefined) return fail(`"${head}" is not a list of names in braces`);
  const badName = names.find((name) => !namePattern.test(name));
  if (badName !== undefined) return fail(`"${badName}" is not a name`);
  if (rows.length === 0) return fail("~LST needs a value");
  const values: (readonly string[])[] = [];
  for (const row of rows) {
    const cells = grouped ? group(row) : [row];
    if (cells === undefined) return fail(`"${row}" is not a list of values in braces`);
    if (cells.length !== names.length) {
      return fail(`"${row}" has ${cells.length} values for ${names.length} names`);
    }
    values.push(cells);
  }
  return {
    ok: true,
    count: values.length,
    bindings: (index) => names.map((name, i) => [name, unquote(values[index]?.[i] ?? "")]),
    rest,
  };
}

const unquote = (text: string): string =>
  text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;

/** The fields of `{a, b}`. */
function group(text: string): readonly string[] | undefined {
  if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
  return splitFields(text.slice(1, -1)).map((field) => field.trim());
}

/** Splits at commas that are neither in braces nor in quotes. */
function splitFields(text: string): string[] {
  const fields: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === "{") depth += 1;
    else if (character === "}") depth -= 1;
    else if (character === "," && depth === 0) {
      fields.push(text.slice(from, at));
      from = at + 1;
    }
  }
  fields.push(text.slice(from));
  return fields;
}

function closingParenthesis(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === "(") depth += 1;
    else if (text[at] === ")") {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}
