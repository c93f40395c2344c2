import type { Diagnostic } from "../diagnostic.ts";
import type { ConfigHost } from "./config-host.ts";
import { Findings } from "./findings.ts";
import type { IncludeChecks } from "./include.ts";
import { noIncludeChecks } from "./include.ts";
import type { KeywordTable } from "./keyword-table.ts";
import { keywordTable } from "./keyword-table.ts";
import { Parser } from "./parser.ts";
import { Reader } from "./reader.ts";
import type { Statement } from "./tree.ts";

export interface ParsedConfig {
  readonly tree: readonly Statement[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a configuration and holds it against a keyword table (keepalived.conf's, unless another
 * is given). It never throws, and takes time linear in the length of what is read.
 *
 * The tree holds the words that the table knows in their places: an unknown, misplaced or skipped
 * one has its finding and is left out, as keepalived leaves it out. A statement whose words do not
 * fit the table has its finding and is kept: what keepalived does with it differs from word to
 * word. Blocks that hold no keywords (virtual_ipaddress and the like) are kept as they stand.
 */
export function parseKeepalived(
  entry: { readonly file: string; readonly text: string },
  host: ConfigHost,
  table: KeywordTable = keywordTable,
  /** What every include line must hold, besides what it says itself. */
  checks: IncludeChecks = noIncludeChecks,
): ParsedConfig {
  const findings = new Findings();
  const parser = new Parser(table, findings);
  const reader = new Reader(host, parser, findings, (word) => table.commands.has(word), checks);
  reader.read(entry.file, entry.text);
  const tree = parser.finish();
  return { tree, diagnostics: findings.sorted() };
}
