import type { DiagnosticCode } from "../diagnostic-codes.ts";
import type { KeywordNode, KeywordTable } from "./keyword-table.ts";
import { nearest } from "./suggest.ts";

/** What can be said of a word that its block does not know. */
export interface UnknownKeyword {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint: string | undefined;
  /** What was probably meant there. */
  readonly meant: KeywordNode | undefined;
}

/** Finds out what an unknown word may have been meant to be, or where it belongs. */
export function explainUnknown(
  table: KeywordTable,
  context: KeywordNode,
  word: string,
  hasBlock: boolean,
): UnknownKeyword {
  const children = context.children ?? new Map<string, KeywordNode>();
  const suggestion = nearest(word, children.keys());
  const meant = suggestion && children.get(suggestion.word);
  const places = table.places.get(word) ?? [];
  if (places.length > 0 && (suggestion === undefined || suggestion.distance > 1)) {
    return misplaced(context, word, hasBlock, places, children);
  }
  const where = context.path === "" ? "outside all blocks" : `in ${context.path}`;
  const message = `${word} is no keyword ${where}`;
  if (meant === undefined) {
    const code = hasBlock ? "block-skipped" : "keyword-unknown";
    return { code, message, hint: strangeCharacter(word) ?? statementHint(word), meant };
  }
  // A word for a word, or a block for a block: otherwise what follows is not what was meant.
  const sameForm = hasBlock === (meant.keyword.block !== undefined);
  const code = meant.keyword.essential
    ? "essential-unknown"
    : hasBlock
      ? "block-skipped"
      : "keyword-unknown";
  const hint = `did you mean "${meant.keyword.name}"?`;
  return { code, message, hint, meant: sameForm ? meant : undefined };
}

function misplaced(
  context: KeywordNode,
  word: string,
  hasBlock: boolean,
  places: readonly KeywordNode[],
  children: ReadonlyMap<string, KeywordNode>,
): UnknownKeyword {
  const here = context.path === "" ? "outside all blocks" : `in ${context.path}`;
  const owners = places.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("."))));
  const belongs = [...new Set(owners)].slice(0, 3).map((path) => path || "outside all blocks");
  const other = [`vrrp_${word}`, word.replace(/^vrrp_/, "")].find((name) => children.has(name));
  // Among the global definitions a word of an instance is idle talk: the instance has its own.
  // Our own are nobody's habit.
  const isIdle = context.path === "global_defs" && !hasBlock && !word.startsWith("holdfast_");
  const lost = places.some(({ keyword }) => keyword.essential) && !isIdle;
  const place = belongs.join(" or ");
  const hint =
    other !== undefined
      ? `here the word is ${other}`
      : `${word} belongs ${place.startsWith("outside") ? place : `into ${place}`}`;
  return {
    code: lost ? "essential-misplaced" : "keyword-misplaced",
    message: `${word} has no effect ${here}`,
    hint,
    meant: undefined,
  };
}

/** Characters that look like white space and are none come with text copied from web pages. */
function strangeCharacter(word: string): string | undefined {
  const strange = /[\p{Cc}\u00a0\u2000-\u200f\u2028\u2029\u202f\u3000\ufeff]/u.exec(word)?.[0];
  if (strange === undefined) return undefined;
  const code = (strange.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `the word contains U+${code}, which is no white space here; write a blank`;
}

function statementHint(word: string): string | undefined {
  if (word.startsWith("$")) return "a definition is written $NAME=value, without blanks before =";
  if (word.startsWith("//") || word.startsWith(";")) return "a comment begins with # or !";
  return undefined;
}
