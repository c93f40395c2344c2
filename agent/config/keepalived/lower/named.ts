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
  return statements.flatMap((statement): readonly Named[] => {
    const name = statement.words[0];
    const kind = statement.keyword.text;
    if (name === undefined) {
      report(
        lowering,
        "name-missing",
        statement.keyword,
        `${kind} needs a name`,
        `write ${kind} NAME {`,
      );
      return [];
    }
    const before = first.get(name.text);
    if (before === undefined) {
      first.set(name.text, name);
      return [{ name, statement }];
    }
    const { file, line } = before.position;
    report(
      lowering,
      "name-duplicate",
      name,
      `${kind} ${name.text} is defined already at ${file}:${line}`,
      "give each its own name",
    );
    return [];
  });
}
