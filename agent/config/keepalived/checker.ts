import { fits } from "./arguments.ts";
import { describeArgument, describeGrammar } from "./describe-keywords.ts";
import type { Findings } from "./findings.ts";
import type { Argument } from "./keyword.ts";
import type { KeywordNode, KeywordTable } from "./keyword-table.ts";
import type { Word } from "./tree.ts";
import { explainUnknown } from "./unknown.ts";

/** What stands behind these belongs into no log. */
const SECRET: ReadonlySet<string> = new Set(["auth_pass", "key", "password"]);

/** Holds statements against the table, one at a time, and says what is wrong with each. */
export class Checker {
  readonly #findings: Findings;
  readonly #table: KeywordTable;
  /** By keyword: the block that it was last met in. */
  readonly #lastBlock: Int32Array;
  readonly #explained = new Map<string, ReturnType<typeof explainUnknown>>();

  constructor(table: KeywordTable, findings: Findings) {
    this.#table = table;
    this.#findings = findings;
    this.#lastBlock = new Int32Array(table.nodes.length + 1);
  }

  /**
   * A known word in its place; false: keepalived passes over the line.
   * `block`: a number of its own for the enclosing block, from 1.
   */
  known(
    node: KeywordNode,
    context: KeywordNode,
    block: number,
    keyword: Word,
    words: readonly Word[],
  ): boolean {
    const { keyword: entry } = node;
    if (!entry.repeats && this.#lastBlock[node.id] === block) {
      const message = `${keyword.text} stands in this block already`;
      this.#findings.add("duplicate-keyword", keyword.position, keyword.text, message);
    }
    this.#lastBlock[node.id] = block;
    if (entry.scope === "later" && context.keyword.scope !== "later") {
      const message = `${keyword.text} has no effect yet`;
      this.#findings.add("no-effect-yet", keyword.position, keyword.text, message);
    }
    if (entry.deprecatedFor !== undefined) {
      const message = `${keyword.text} is an old spelling`;
      const hint = `write ${entry.deprecatedFor}`;
      this.#findings.add("deprecated-keyword", keyword.position, keyword.text, message, hint);
    }
    if (words.length < entry.grammar.required.length) this.#missing(node, keyword, words.length);
    this.#words(node, keyword, words);
    return words.length > 0 || !entry.bareIgnored;
  }

  #missing(node: KeywordNode, keyword: Word, from: number): void {
    const { grammar, bareIgnored } = node.keyword;
    const code = bareIgnored && from === 0 ? "missing-argument-ignored" : "missing-argument";
    const missing = { ...grammar, required: grammar.required.slice(from), optional: [] };
    const message = `${keyword.text} needs ${describeGrammar(missing)}`;
    const hint = `write ${keyword.text} ${describeGrammar(grammar)}`;
    this.#findings.add(code, keyword.position, keyword.text, message, hint);
  }

  #words(node: KeywordNode, keyword: Word, words: readonly Word[]): void {
    const { required, optional, rest } = node.keyword.grammar;
    for (let i = 0; i < words.length; i += 1) {
      const word = words[i];
      if (word === undefined) return;
      const argument = required[i] ?? optional[i - required.length] ?? rest;
      if (argument === undefined) {
        this.#extra(node, keyword, words, i);
        return;
      }
      if (!fits(argument, word.text)) this.#value(node, argument, keyword, word);
      else if (word.text.endsWith(";")) this.#semicolon(node, keyword, word);
    }
  }

  #extra(node: KeywordNode, keyword: Word, words: readonly Word[], from: number): void {
    const word = words[from];
    if (word === undefined) return;
    const text = words
      .slice(from)
      .map((each) => each.text)
      .join(" ");
    let hint: string | undefined;
    if (text === "\\") hint = "a backslash continues only $NAME= definitions";
    else if (text === ";") hint = "remove the semicolon";
    else if (from === 0 && /^(off|false|no)$/.test(text)) {
      hint = `remove the line: ${keyword.text} is switched on by standing here`;
    } else if (node.keyword.block !== undefined) hint = `write { after ${keyword.text}`;
    else if (this.#table.places.has(word.text)) hint = `write ${word.text} on a line of its own`;
    const message = `${keyword.text} takes no further words`;
    const shown = SECRET.has(keyword.text) ? "" : text;
    this.#findings.add("extra-words", word.position, shown, message, hint);
  }

  #value(node: KeywordNode, argument: Argument, keyword: Word, word: Word): void {
    if (word.text.endsWith(";") && fits(argument, word.text.slice(0, -1))) {
      // Without its type an instance still runs, unauthenticated, and so do its keepalived peers.
      if (!node.keyword.essential || keyword.text === "auth_type") {
        this.#semicolon(node, keyword, word);
        return;
      }
    }
    const wanted = describeArgument(argument);
    const code = node.keyword.essential ? "essential-value" : "value-invalid";
    const message = `${keyword.text} takes ${wanted}, not "${word.text}"`;
    this.#findings.add(code, word.position, word.text, message, valueHint(argument, word.text));
  }

  #semicolon(node: KeywordNode, keyword: Word, word: Word): void {
    if (word.quoted || node.keyword.grammar.command) return;
    const message = `the semicolon becomes part of the value of ${keyword.text}`;
    const hint = `write ${keyword.text} ${word.text.slice(0, -1)}`;
    this.#findings.add("trailing-semicolon", word.position, word.text, message, hint);
  }

  /**
   * A word that its block does not know. Answers the keyword that was probably meant, so that
   * what is inside its block can be read.
   */
  unknown(context: KeywordNode, keyword: Word, hasBlock: boolean): KeywordNode | undefined {
    const key = `${context.id} ${hasBlock} ${keyword.text}`;
    let explained = this.#explained.get(key);
    if (explained === undefined) {
      explained = explainUnknown(this.#table, context, keyword.text, hasBlock);
      this.#explained.set(key, explained);
    }
    const { code, message, hint, meant } = explained;
    this.#findings.add(code, keyword.position, keyword.text, message, hint);
    return meant;
  }
}

function valueHint(argument: Argument, text: string): string | undefined {
  if (text.endsWith(";")) return "remove the semicolon";
  if (text.includes("$")) return "define the name above with $NAME=value";
  if (argument.kind === "seconds" || argument.kind === "integer") {
    const unit = /^([0-9]+(?:\.[0-9]+)?)\s*[a-z]+$/i.exec(text)?.[1];
    return unit !== undefined && fits(argument, unit)
      ? `write a number alone, without a unit: ${describeArgument(argument)}`
      : `write ${describeArgument(argument)}`;
  }
  if (argument.kind !== "enum") return undefined;
  const same = argument.values.find((value) => value.toLowerCase() === text.toLowerCase());
  return same === undefined ? `write ${argument.values.join(" or ")}` : `write ${same}`;
}
