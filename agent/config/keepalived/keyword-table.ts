import type { Keyword, Scope } from "./keyword.ts";
import { block } from "./keyword.ts";
import { directorKeywords } from "./keyword-table-director.ts";
import { globalKeywords, rootKeywords } from "./keyword-table-global.ts";
import { ownGlobalKeywords, ownGroupKeywords, ownInstanceKeywords } from "./keyword-table-own.ts";
import { trackingKeywords } from "./keyword-table-tracking.ts";
import { vrrpKeywords } from "./keyword-table-vrrp.ts";

/** A keyword in its place. */
export interface KeywordNode {
  /** Dense number within its table. */
  readonly id: number;
  /** Names from the root on, joined by dots; empty for the root itself. */
  readonly path: string;
  readonly keyword: Keyword;
  /** `undefined`: takes no keywords. */
  readonly children: ReadonlyMap<string, KeywordNode> | undefined;
}

/** A language's keywords, ready for looking up. */
export interface KeywordTable {
  readonly root: KeywordNode;
  /** All but the root, parents before their children. */
  readonly nodes: readonly KeywordNode[];
  /** Every place where a name occurs. */
  readonly places: ReadonlyMap<string, readonly KeywordNode[]>;
  /** Names whose lines are split as commands. */
  readonly commands: ReadonlySet<string>;
}

/** Builds a table from the keywords outside all blocks. */
export function makeKeywordTable(keywords: readonly Keyword[]): KeywordTable {
  const nodes: KeywordNode[] = [];
  const grow = (entry: Keyword, path: string, outer: Scope): KeywordNode => {
    const keyword: Keyword = outer === "later" ? { ...entry, scope: "later" } : entry;
    const children = new Map<string, KeywordNode>();
    const takes = keyword.block?.kind === "keywords" ? keyword.block.keywords : undefined;
    const node = { id: nodes.length, path, keyword, children: takes && children };
    nodes.push(node);
    for (const child of takes ?? []) {
      const place = path === "" ? child.name : `${path}.${child.name}`;
      children.set(child.name, grow(child, place, keyword.scope));
    }
    return node;
  };
  const root = grow(block("", {}, keywords, "", ""), "", "vrrp");
  const places = new Map<string, KeywordNode[]>();
  const commands = new Set<string>();
  for (const node of nodes.slice(1)) {
    const { name, grammar } = node.keyword;
    places.set(name, [...(places.get(name) ?? []), node]);
    if (grammar.command) commands.add(name);
  }
  return { root, nodes: nodes.slice(1), places, commands };
}

/** The words of keepalived outside all blocks. */
const keepalivedKeywords: readonly Keyword[] = [
  ...rootKeywords,
  block("global_defs", {}, globalKeywords, "block", "Global definitions", { repeats: true }),
  ...vrrpKeywords,
  ...trackingKeywords,
  ...directorKeywords,
];

/** Adds words to the end of a block. */
function extend(keyword: Keyword, name: string, more: readonly Keyword[]): Keyword {
  if (keyword.name !== name || keyword.block?.kind !== "keywords") return keyword;
  const keywords = [...keyword.block.keywords, ...more];
  return { ...keyword, block: { kind: "keywords", keywords } };
}

/** The language of keepalived.conf: keepalived's words and Holdfast's own. */
export const keywordTable: KeywordTable = makeKeywordTable(
  keepalivedKeywords
    .map((keyword) => extend(keyword, "global_defs", ownGlobalKeywords))
    .map((keyword) => extend(keyword, "vrrp_instance", ownInstanceKeywords))
    .map((keyword) => extend(keyword, "vrrp_sync_group", ownGroupKeywords)),
);
