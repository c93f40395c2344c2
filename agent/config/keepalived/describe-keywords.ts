import type { Argument, ArgumentGrammar } from "./keyword.ts";
import type { KeywordNode, KeywordTable } from "./keyword-table.ts";
import { keywordTable } from "./keyword-table.ts";

/** One keyword as `holdfast keywords` shows it. Plain JSON. */
export interface KeywordDescription {
  readonly path: string;
  /** The file that it stands in. */
  readonly file: "keepalived.conf" | "holdfast.conf";
  /** What follows the word, as `<1–255>` or `[on|off]`; empty: nothing. */
  readonly arguments: string;
  /** What the block holds; `undefined`: the word has no block. */
  readonly block: string | undefined;
  readonly scope: "vrrp" | "later";
  /** A word of Holdfast's own, which keepalived does not have. */
  readonly own: boolean;
  readonly deprecatedFor: string | undefined;
  readonly default: string;
  readonly meaning: string;
}

/** Every keyword path of keepalived.conf, in the order of its table. */
export const describeKeywords = (): readonly KeywordDescription[] =>
  describeTable(keywordTable, "keepalived.conf");

/** Every keyword path of a language. */
export const describeTable = (
  table: KeywordTable,
  file: KeywordDescription["file"],
): readonly KeywordDescription[] => table.nodes.map((node) => describe(node, file));

function describe(
  { path, keyword }: KeywordNode,
  file: KeywordDescription["file"],
): KeywordDescription {
  const { block, scope, deprecatedFor, meaning } = keyword;
  return {
    path,
    file,
    arguments: describeGrammar(keyword.grammar),
    block: block?.kind === "lines" ? block.lines : block?.kind,
    scope,
    own: file === "holdfast.conf" || /(?:^|\.)holdfast_/.test(path),
    deprecatedFor,
    default: keyword.default,
    meaning,
  };
}

export function describeGrammar({ required, optional, rest }: ArgumentGrammar): string {
  return [
    ...required.map((argument) => `<${describeArgument(argument)}>`),
    ...optional.map((argument) => `[${describeArgument(argument)}]`),
    ...(rest === undefined ? [] : [`[${describeArgument(rest)} …]`]),
  ].join(" ");
}

/** What is wanted, for a message or a table. */
export function describeArgument(argument: Argument): string {
  switch (argument.kind) {
    case "integer":
      return `${argument.min}–${argument.max}`;
    case "seconds":
      return `seconds ${argument.min}–${argument.max}`;
    case "boolean":
      return "on|off";
    case "enum":
      return argument.values.join("|");
    case "address":
      return argument.family === "any" ? "address" : `${argument.family} address`;
    case "word":
      return argument.label;
    default:
      return argument.kind;
  }
}
