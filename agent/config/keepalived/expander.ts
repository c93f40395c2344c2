import { AT, TILDE } from "./character.ts";
import { trim } from "./comment.ts";
import { readCondition } from "./condition.ts";
import type { ConfigHost } from "./config-host.ts";
import { Definitions, readDefinition } from "./definitions.ts";
import type { Findings } from "./findings.ts";
import { readGenerator } from "./generator.ts";
import type { Line } from "./source.ts";
import { line, positionAt, slice } from "./source.ts";

/** Takes a line in which nothing is left to expand. `continues`: it ended in a backslash. */
export type TakeLine = (line: Line, continues: boolean, depth: number) => void;

/** Lines that definitions and generators may produce in one configuration. */
const maxExpandedLines = 2_000_000;
/** Characters that count as one line more. */
const charactersPerLine = 100;
/** Lines within lines. */
const maxNesting = 200;

/** Works off conditions, definitions, generators and references, in keepalived's order. */
export class Expander {
  readonly definitions: Definitions;
  /** Directory of the file that is being read: `${_PWD}`. */
  directory = "/";
  readonly #host: ConfigHost;
  readonly #findings: Findings;
  readonly #take: TakeLine;
  /** A definition whose lines are being collected. */
  #collected: { readonly name: string; readonly lines: Line[] } | undefined;
  #expanded = 0;

  constructor(host: ConfigHost, findings: Findings, take: TakeLine) {
    this.#host = host;
    this.#findings = findings;
    this.#take = take;
    this.definitions = new Definitions(host);
  }

  /** The next written line belongs to a definition. */
  get collecting(): boolean {
    return this.#collected !== undefined;
  }

  /** A line of the definition that is being collected. */
  collect(content: Line, continues: boolean): void {
    if (content.text !== "") this.#collected?.lines.push(content);
    if (!continues) this.endCollecting();
  }

  endCollecting(): void {
    if (this.#collected === undefined) return;
    const { name, lines } = this.#collected;
    this.definitions.set(name, { kind: "lines", lines });
    this.#collected = undefined;
  }

  expand(source: Line, continues: boolean, depth: number): void {
    this.#expandAll(this.#expandFirst(source, continues, depth), depth);
  }

  /** Expands a line, but for the lines that definitions of several lines put after it. */
  #expandFirst(source: Line, continues: boolean, depth: number): readonly Line[] {
    let following: readonly Line[] = [];
    let current = source;
    // A definition may bring a condition or generator to light, so that there are several rounds.
    for (let round = depth; round <= maxNesting; round += 1) {
      const begun = this.#begin(trim(current), continues, depth);
      if (begun === undefined) return following;
      const result = this.definitions.substitute(begun, this.directory);
      if (!result.ok) {
        this.#refuse(result.reason, begun);
        return [];
      }
      following = [...result.following, ...following];
      if (result.line === begun) {
        this.#take(begun, continues, depth);
        return following;
      }
      current = result.line;
      this.#expanded += Math.trunc(current.text.length / charactersPerLine);
    }
    this.#refuse("too-deep", current);
    return [];
  }

  /** Works off what a line begins with; `undefined`: nothing is left of the line. */
  #begin(source: Line, continues: boolean, depth: number): Line | undefined {
    let current = source;
    if (current.text.charCodeAt(0) === AT) {
      const start = readCondition(current.text, this.#host.configId);
      if (start === undefined) return undefined;
      current = trim(slice(current, start));
    }
    if (this.#define(current, continues)) return undefined;
    if (current.text.charCodeAt(0) !== TILDE) return current;
    this.#generate(current, depth);
    return undefined;
  }

  #define(source: Line, continues: boolean): boolean {
    const definition = readDefinition(source);
    if (definition === undefined) return false;
    const { name, value } = definition;
    if (continues) this.#collected = { name, lines: value.text === "" ? [] : [value] };
    else this.definitions.set(name, { kind: "line", value: value.text });
    return true;
  }

  #generate(source: Line, depth: number): void {
    const generator = readGenerator(source.text, (text) => {
      const result = this.definitions.substitute(line(text, "", 0, 0), this.directory);
      return result.ok && result.following.length === 0 ? result.line.text : text;
    });
    if (!generator.ok) {
      const { reason } = generator;
      this.#findings.add("generator-invalid", positionAt(source, 0), excerpt(source), reason);
      return;
    }
    const rest = slice(source, generator.rest);
    for (let index = 0; index < generator.count; index += 1) {
      if (!this.#count(source)) return;
      for (const [name, value] of generator.bindings(index)) {
        this.definitions.set(name, { kind: "line", value });
      }
      this.expand(rest, false, depth + 1);
    }
  }

  #expandAll(lines: readonly Line[], depth: number): void {
    for (const each of lines) {
      if (!this.#count(each)) return;
      this.expand(each, false, depth + 1);
    }
  }

  /** Counts an expanded line; false when there have been too many. */
  #count(source: Line): boolean {
    const before = this.#expanded;
    this.#expanded += 1;
    if (before < maxExpandedLines) return true;
    if (before !== Number.POSITIVE_INFINITY) this.#refuse("too-long", source);
    this.#expanded = Number.POSITIVE_INFINITY;
    return false;
  }

  #refuse(reason: "too-deep" | "too-long", source: Line): void {
    const position = positionAt(source, 0);
    const text = excerpt(source);
    if (reason === "too-deep") {
      const message = "the definitions used here refer to each other without end";
      this.#findings.add("definition-too-deep", position, text, message);
    } else {
      const message = "the line expands to more than can be sensible";
      this.#findings.add("expansion-too-large", position, text, message);
    }
  }
}

const excerpt = (source: Line): string => source.text.slice(0, 80);
