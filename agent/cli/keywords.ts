import type { KeywordDescription } from "../config/keepalived/describe-keywords.ts";
import { describeKeywords, describeTable } from "../config/keepalived/describe-keywords.ts";
import { settingsTable } from "../config/settings-file/keyword-table.ts";
import type { CommandContext } from "./command.ts";
import { EXIT } from "./exit-status.ts";
import { wrap } from "./help.ts";
import { styleFor } from "./style.ts";
import { table } from "./table.ts";

// A command answers a promise, whether it has to wait or not.
export function keywords(context: CommandContext): Promise<number> {
  const { terminal } = context;
  const [word] = context.arguments.operands;
  const all = [...describeKeywords(), ...describeTable(settingsTable, "holdfast.conf")];
  const rows = word === undefined ? all : all.filter(({ path }) => path.includes(word));
  if (context.arguments.options.has("json")) terminal.out(`${JSON.stringify(rows, null, 2)}\n`);
  else if (rows.length === 0) terminal.err(`holdfast: no keyword contains ${word}\n`);
  else {
    const style = styleFor(terminal.color);
    const lines = table(
      ["KEYWORD", "FILE", "STATUS", "DEFAULT", "MEANING"],
      rows.map(cells),
      style.faint,
    );
    terminal.out(`${[...lines, "", totals(rows)].join("\n")}\n`);
  }
  return Promise.resolve(rows.length === 0 ? EXIT.failed : EXIT.ok);
}

const cells = (row: KeywordDescription): readonly { readonly text: string }[] => [
  { text: row.arguments === "" ? row.path : `${row.path}\n  ${row.arguments}` },
  { text: row.file },
  { text: row.scope === "vrrp" ? "works" : "no effect yet" },
  { text: wrap(row.default, 24).join("\n") },
  { text: wrap(row.meaning, 60).join("\n") },
];

function totals(rows: readonly KeywordDescription[]): string {
  const working = rows.filter(({ scope }) => scope === "vrrp").length;
  return `${rows.length} keywords: ${working} work, ${rows.length - working} have no effect yet`;
}
