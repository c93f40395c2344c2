import type { TrackedInterface } from "../../config.ts";
import type { Statement, Word } from "../tree.ts";
import { parseWhole } from "./literals.ts";
import type { Lowering } from "./lowering.ts";
import { report, take } from "./lowering.ts";
import { interfaceWord } from "./values.ts";

/** Highest and lowest weight of a tracked interface. */
const WEIGHT_LIMIT = 253;

export interface TrackedWord {
  readonly tracked: TrackedInterface;
  readonly at: Word;
}

/** track_interface { NAME [weight N [reverse|noreverse]] … }: each name once. */
export function readTrackInterface(
  into: TrackedWord[],
  statement: Statement,
  lowering: Lowering,
): void {
  const names = new Set(into.map(({ tracked }) => tracked.interface));
  for (const line of statement.block ?? []) {
    const name = interfaceWord(line.keyword, lowering)?.value;
    if (name === undefined) continue;
    if (names.has(name)) {
      report(lowering, "tracker-duplicate", line.keyword, `${name} is tracked already`);
      continue;
    }
    names.add(name);
    into.push({ tracked: { interface: name, ...readWeight(line, lowering) }, at: line.keyword });
  }
}

function readWeight(
  line: Statement,
  lowering: Lowering,
): { readonly weight: number; readonly reverse: boolean } {
  let weight = 0;
  let reverse = false;
  const cursor = { words: line.words, at: 0 };
  for (let word = take(cursor); word !== undefined; word = take(cursor)) {
    if (word.text === "reverse") reverse = true;
    else if (word.text === "weight") {
      const value = take(cursor);
      const parsed = parseWhole(value?.text ?? "", -WEIGHT_LIMIT, WEIGHT_LIMIT);
      if (parsed === undefined) reportWeight(line, value ?? word, lowering);
      weight = parsed ?? 0;
    } else if (word.text !== "noreverse") {
      report(
        lowering,
        "tracker-option-unknown",
        word,
        `a tracked interface has no option "${word.text}"; it is left out`,
        "write NAME [weight N [reverse]]",
      );
    }
  }
  return { weight, reverse };
}

function reportWeight(line: Statement, at: Word, lowering: Lowering): void {
  report(
    lowering,
    "tracker-option-unknown",
    at,
    `the weight of ${line.keyword.text} is a whole number from ${-WEIGHT_LIMIT} to ${WEIGHT_LIMIT}; without one, its loss is a fault`,
    "write weight N, or no weight for a fault",
  );
}
