import { closest } from "./closest.ts";

/** One option that a command takes. Without `value` it is a switch. */
export interface OptionSpec {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** What the value is called in usage texts. `[=X]`-style values may be left out. */
  readonly value?: { readonly name: string; readonly optional?: boolean };
  /** One line of help; `undefined`: not shown. */
  readonly about?: string;
}

export interface ParsedArguments {
  /** By long name: `true` for a switch or a value left out; the last one given wins. */
  readonly options: ReadonlyMap<string, string | true>;
  readonly operands: readonly string[];
}

/** The command line cannot be understood. The message is complete and for people. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  /** What was probably meant, or where to read on. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

interface Cursor {
  readonly words: readonly string[];
  next: number;
}

/**
 * Reads words as getopt_long does, as keepalived's users know it: `-nlD`, `-fFILE`, `-f FILE`,
 * `--use-file=FILE`, unambiguous beginnings of long names, options after operands, `--`, and values that
 * may be left out (`-t`, `-tFILE`, `--config-test=FILE`). node:util's parseArgs has neither the last nor
 * the beginnings.
 */
export function parseArguments(
  words: readonly string[],
  specs: readonly OptionSpec[],
): ParsedArguments {
  const options = new Map<string, string | true>();
  const operands: string[] = [];
  const cursor: Cursor = { words, next: 0 };
  for (;;) {
    const word = words[cursor.next];
    if (word === undefined) break;
    cursor.next += 1;
    if (word === "--") {
      operands.push(...words.slice(cursor.next));
      break;
    }
    if (word.startsWith("--")) readLong(word, specs, cursor, options);
    else if (word.startsWith("-") && word !== "-") readShorts(word, specs, cursor, options);
    else operands.push(word);
  }
  return { options, operands };
}

function readLong(
  word: string,
  specs: readonly OptionSpec[],
  cursor: Cursor,
  options: Map<string, string | true>,
): void {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  const spec = findLong(name, specs);
  if (spec.value === undefined) {
    if (attached !== undefined) throw new UsageError(`--${spec.name} takes no value`);
    options.set(spec.name, true);
    return;
  }
  options.set(spec.name, attached ?? valueAfter(`--${spec.name}`, spec, cursor));
}

function findLong(name: string, specs: readonly OptionSpec[]): OptionSpec {
  const exact = specs.find((spec) => spec.name === name);
  if (exact !== undefined) return exact;
  const beginning = name === "" ? [] : specs.filter((spec) => spec.name.startsWith(name));
  const [only, another] = beginning;
  if (only !== undefined && another === undefined) return only;
  if (only !== undefined) {
    const names = beginning.map((spec) => `--${spec.name}`).join(", ");
    throw new UsageError(`--${name} could be any of ${names}`);
  }
  const meant = closest(
    name,
    specs.map((spec) => spec.name),
  );
  throw new UsageError(
    `unknown option --${name}`,
    meant === undefined ? undefined : `did you mean --${meant}?`,
  );
}

function readShorts(
  word: string,
  specs: readonly OptionSpec[],
  cursor: Cursor,
  options: Map<string, string | true>,
): void {
  const letters = [...word.slice(1)];
  for (const [index, letter] of letters.entries()) {
    const spec = specs.find((candidate) => candidate.short === letter);
    if (spec === undefined) throw unknownLetter(letter, word, specs);
    if (spec.value === undefined) {
      options.set(spec.name, true);
      continue;
    }
    const rest = letters.slice(index + 1).join("");
    options.set(spec.name, rest === "" ? valueAfter(`-${letter}`, spec, cursor) : rest);
    return;
  }
}

function unknownLetter(letter: string, word: string, specs: readonly OptionSpec[]): UsageError {
  const meant = closest(
    word.slice(1),
    specs.map((spec) => spec.name),
  );
  return new UsageError(
    word.length > 2 ? `unknown option -${letter} in ${word}` : `unknown option -${letter}`,
    meant === undefined || word.length < 4 ? undefined : `did you mean --${meant}?`,
  );
}

function valueAfter(written: string, spec: OptionSpec, cursor: Cursor): string | true {
  if (spec.value?.optional === true) return true;
  const value = cursor.words[cursor.next];
  if (value === undefined) throw new UsageError(`${written} needs a value (${spec.value?.name})`);
  cursor.next += 1;
  return value;
}
