import { CLOSE_BRACE, DOLLAR, isSpace, OPEN_BRACE, skipName, skipSpace } from "./character.ts";
import type { ConfigHost } from "./config-host.ts";
import type { Line } from "./source.ts";
import { LineBuilder, positionAt, slice } from "./source.ts";

/** The value of a definition: one line, or the lines of a `\`-continued one. */
export type Definition =
  | { readonly kind: "line"; readonly value: string }
  | { readonly kind: "lines"; readonly lines: readonly Line[] };

/** A reference found in a line. */
interface Reference {
  readonly name: string;
  /** What follows the name between braces. */
  readonly parameters: string;
  readonly braces: boolean;
  readonly end: number;
}

/** What replacing the references of a line came to. */
export type Substitution =
  | { readonly ok: true; readonly line: Line; readonly following: readonly Line[] }
  | { readonly ok: false; readonly reason: "too-deep" | "too-long" };

/** Rounds of replacement in one line; more of them means a circle. */
const maxDepth = 64;
/** Length that a line may reach, in UTF-16 units. */
const maxLength = 65_536;

/** `$NAME=value`, its built-ins, and their use. */
export class Definitions {
  readonly #values = new Map<string, Definition>();
  readonly #host: ConfigHost;

  constructor(host: ConfigHost) {
    this.#host = host;
  }

  set(name: string, definition: Definition): void {
    this.#values.set(name, definition);
  }

  has(name: string): boolean {
    return this.#values.has(name) || builtIns.has(name);
  }

  /** Replaces every reference, and those that this brings to light, until none is left. */
  substitute(source: Line, directory: string): Substitution {
    let line = source;
    const following: Line[][] = [];
    for (let depth = 0; depth < maxDepth; depth += 1) {
      const round = this.#round(line, directory);
      if (round === undefined) return { ok: true, line, following: following.reverse().flat() };
      if (round.line.text.length > maxLength) return { ok: false, reason: "too-long" };
      line = round.line;
      if (round.following.length > 0) following.push([...round.following]);
      // A condition, definition or generator is read before what it contains is replaced.
      if (/^\s*[@~]/.test(line.text)) {
        return { ok: true, line, following: following.reverse().flat() };
      }
    }
    return { ok: false, reason: "too-deep" };
  }

  #round(source: Line, directory: string) {
    const { text } = source;
    let builder: LineBuilder | undefined;
    let following: readonly Line[] = [];
    let copied = 0;
    for (let at = text.indexOf("$"); at >= 0; at = text.indexOf("$", at + 1)) {
      const reference = referenceAt(text, at);
      if (reference === undefined) continue;
      const value = this.#value(reference, directory, text.length);
      if (value === undefined) continue;
      builder ??= new LineBuilder();
      builder.append(source, copied, at);
      if (typeof value === "string") builder.appendAt(value, positionAt(source, at));
      else {
        const [first] = value;
        if (first !== undefined) builder.append(first, 0, first.text.length);
        following = value.slice(1);
      }
      copied = reference.end;
      at = reference.end - 1;
      if (builder.length > maxLength) break;
    }
    if (builder === undefined) return undefined;
    builder.append(source, copied, text.length);
    return { line: builder.line(), following };
  }

  #value(
    reference: Reference,
    directory: string,
    length: number,
  ): string | readonly Line[] | undefined {
    const { name, parameters } = reference;
    const defined = this.#values.get(name);
    if (defined !== undefined) {
      if (parameters !== "") return undefined;
      if (defined.kind === "line") return defined.value;
      // Several lines can only stand where the line ends.
      return reference.end === length ? defined.lines : undefined;
    }
    return builtIns.get(name)?.(this.#host, parameters, directory);
  }
}

type BuiltIn = (host: ConfigHost, parameters: string, directory: string) => string | undefined;

const constant = (value: string): BuiltIn => {
  return (_host, parameters) => (parameters === "" ? value : undefined);
};

const builtIns: ReadonlyMap<string, BuiltIn> = new Map<string, BuiltIn>([
  ["_PWD", (_host, parameters, directory) => (parameters === "" ? directory : undefined)],
  ["_INSTANCE", (host, parameters) => (parameters === "" ? host.configId : undefined)],
  ["_HASH", constant("#")],
  ["_BANG", constant("!")],
  ["_RANDOM", (host, parameters) => random(host, parameters)],
  ["_ENV", (host, parameters) => (parameters === "" ? undefined : (host.env(parameters) ?? ""))],
]);

const largestRandom = 32_767;

function random(host: ConfigHost, parameters: string): string | undefined {
  if (!/^[\d ]*$/.test(parameters)) return undefined;
  const [first, second] = parameters.split(" ").filter((part) => part !== "");
  const min = Math.min(Number(first ?? 0), Number.MAX_SAFE_INTEGER);
  const max = Math.min(Number(second ?? largestRandom), Number.MAX_SAFE_INTEGER);
  return String(max < min ? min : host.random(min, max));
}

/** Reads `$NAME`, `${NAME}` or `${NAME parameters}` at a dollar sign. */
export function referenceAt(text: string, at: number): Reference | undefined {
  const braces = text.charCodeAt(at + 1) === OPEN_BRACE;
  const start = at + (braces ? 2 : 1);
  const end = skipName(text, start);
  if (end === start) return undefined;
  const name = text.slice(start, end);
  if (!braces) {
    return endsName(text, end) ? { name, parameters: "", braces, end } : undefined;
  }
  if (text.charCodeAt(end) === CLOSE_BRACE) return { name, parameters: "", braces, end: end + 1 };
  const close = isSpace(text.charCodeAt(end)) ? parametersEnd(text, end) : -1;
  if (close < 0) return undefined;
  return { name, parameters: text.slice(end, close).trim(), braces, end: close + 1 };
}

/** Index of the brace that ends parameters: names, digits and blanks only, so a short look. */
function parametersEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[\w. -]/.test(text.charAt(at))) at += 1;
  return text.charCodeAt(at) === CLOSE_BRACE ? at : -1;
}

/** A name without braces must be followed by white space, `,`, `)` or the end. */
function endsName(text: string, at: number): boolean {
  return at === text.length || isSpace(text.charCodeAt(at)) || ",)".includes(text.charAt(at));
}

export interface DefinitionLine {
  readonly name: string;
  readonly value: Line;
}

/** Reads `$NAME=value`; `undefined`: the line is no definition. */
export function readDefinition(line: Line): DefinitionLine | undefined {
  const { text } = line;
  if (text.charCodeAt(0) !== DOLLAR) return undefined;
  const end = skipName(text, 1);
  if (end === 1 || text[end] !== "=") return undefined;
  return { name: text.slice(1, end), value: slice(line, skipSpace(text, end + 1)) };
}
