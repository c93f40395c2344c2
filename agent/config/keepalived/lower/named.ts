import type { Statement, Word } from "../tree.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";

/** A block with the name that stands after its keyword. */
export interface Named {
  readonly name: Word;
  readonly statement: Statement;
}

/** Blocks with their names; a second block of a name is an error, as nobody could tell them apart. */
export function named(statements: readonly Statement[], lowering: Lowering): readonly Named[] {
  const first = new Map<string, Word>();
  const blocks: Named[] = [];
  for (const statement of statements) {
    const name = statement.words[0];
    if (name === undefined) {
      const kind = statement.keyword.text;
      const message = `${kind} needs a name`;
      report(lowering, "name-missing", statement.keyword, message, `write ${kind} NAME {`);
      continue;
    }
    const before = first.get(name.text);
    if (before === undefined) {
      first.set(name.text, name);
      blocks.push({ name, statement });
    } else reportDuplicate(statement.keyword.text, name, before, lowering);
  }
  return blocks;
}

function reportDuplicate(kind: string, name: Word, before: Word, lowering: Lowering): void {
  const { file, line } = before.position;
  report(
    lowering,
    "name-duplicate",
    name,
    `${kind} ${name.text} is defined already at ${file}:${line}`,
    "give each its own name",
  );
}
