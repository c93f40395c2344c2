import type { ConfigHost } from "./config-host.ts";
import type { Findings } from "./findings.ts";
import type { IncludeChecks } from "./include.ts";
import { includeChecks, includedFiles, readIncludeCheck } from "./include.ts";
import { splitWords } from "./lexer.ts";
import type { Line } from "./source.ts";
import type { Word } from "./tree.ts";

/** Nesting of files. */
const maxNesting = 200;

/** Reads the files that include lines name. */
export class Includer {
  /** Checks that hold for every include line from here on. */
  checks: IncludeChecks;
  readonly #host: ConfigHost;
  readonly #findings: Findings;
  readonly #read: (file: string, text: string) => void;
  /** Absolute paths of the files that are being read. */
  readonly #open: string[] = [];

  constructor(
    host: ConfigHost,
    findings: Findings,
    read: (file: string, text: string) => void,
    checks: IncludeChecks,
  ) {
    this.#host = host;
    this.#findings = findings;
    this.#read = read;
    this.checks = checks;
  }

  /** Runs `read` with a file counted as being read; include_check holds until its end. */
  within(absolute: string, read: () => void): void {
    const outer = this.checks;
    this.#open.push(absolute);
    read();
    this.#open.pop();
    this.checks = outer;
  }

  /** Notes an include_check line. */
  setChecks(words: readonly Word[]): void {
    const names = words.map((word) => word.text);
    this.checks = readIncludeCheck(names, this.checks);
  }

  /** Reads the files of an include line; false: the line is none. */
  include(source: Line, directory: string): boolean {
    if (!source.text.startsWith("include")) return false;
    const [keyword, pattern, extra] = splitWords(source);
    const checks = keyword === undefined ? undefined : includeChecks(keyword.text, this.checks);
    if (keyword === undefined || checks === undefined) return false;
    if (pattern === undefined) {
      const message = `${keyword.text} needs the name of a file`;
      this.#findings.add("missing-argument", keyword.position, keyword.text, message);
      return true;
    }
    if (extra !== undefined) {
      const message = `${keyword.text} takes one name`;
      this.#findings.add("extra-words", extra.position, extra.text, message);
    }
    const found = includedFiles(pattern.text, directory, this.#host);
    for (const { pattern: unmatched, check } of found.unmatched) {
      const code = checks[check] ? "include-unmatched-checked" : "include-unmatched";
      const message = `nothing matches ${unmatched} in ${directory}`;
      this.#findings.add(code, pattern.position, pattern.text, message);
    }
    for (const path of found.paths) this.#includeFile(path, pattern);
    return true;
  }

  #includeFile(path: string, word: Word): void {
    if (this.#open.includes(path) || this.#open.length > maxNesting) {
      const message = `${path} is being read already, by way of ${this.#open.slice(-8).join(", ")}`;
      this.#findings.add("include-cycle", word.position, word.text, message);
      return;
    }
    const file = this.#host.readFile(path);
    if (file.ok) this.#read(path, file.text);
    else {
      const message = `${path} cannot be read: ${file.errno}`;
      this.#findings.add("include-failed", word.position, word.text, message);
    }
  }
}
