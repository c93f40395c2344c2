import type { FileTracker } from "../../trackers.ts";
import type { Statement } from "../tree.ts";
import { parseWhole } from "./literals.ts";
import type { Lowering } from "./lowering.ts";
import { report } from "./lowering.ts";
import type { Named } from "./named.ts";
import { readTrackerWeight } from "./tracker-weight.ts";
import { reportValue } from "./values.ts";

/** A multiplier of the file's number may be any. */
const WEIGHT = { limit: 2_147_483_647, otherwise: 1 };
const LARGEST_VALUE = 2_147_483_647;

/** track_file NAME { file PATH … }. */
export function lowerFileTracker(
  { name, statement }: Named,
  lowering: Lowering,
): FileTracker | undefined {
  const lines = new Map((statement.block ?? []).map((line) => [line.keyword.text, line]));
  const file = lines.get("file")?.words[0];
  if (file?.text.startsWith("/") !== true) {
    const problem = file === undefined ? "has no file" : `: "${file.text}" is no absolute path`;
    const message = `${statement.keyword.text} ${name.text} ${problem}; it would watch nothing`;
    report(lowering, "tracker-invalid", file ?? name, message, "write file /path/of/file");
    return undefined;
  }
  return {
    kind: "file",
    position: name.position,
    name: name.text,
    path: file.text,
    init: lowerInit(lines.get("init_file"), lowering),
    ...readTrackerWeight(lines.get("weight"), WEIGHT, lowering),
  };
}

/** init_file [VALUE] [overwrite]. */
function lowerInit(statement: Statement | undefined, lowering: Lowering): FileTracker["init"] {
  if (statement === undefined) return undefined;
  let value = 0;
  let overwrite = false;
  for (const word of statement.words) {
    const number = parseWhole(word.text, -LARGEST_VALUE, LARGEST_VALUE);
    if (number !== undefined) value = number;
    else if (word.text === "overwrite") overwrite = true;
    else {
      reportValue(statement, word, "a whole number, and overwrite", lowering);
      return undefined;
    }
  }
  return { value, overwrite };
}
