import type { Statement } from "../tree.ts";
import { parseWhole } from "./literals.ts";
import type { Lowering } from "./lowering.ts";
import { reportValue } from "./values.ts";

export interface TrackerWeight {
  readonly weight: number;
  readonly reverse: boolean;
}

/** weight N [reverse|noreverse] of a tracker; a line with a wrong number has no effect. */
export function readTrackerWeight(
  statement: Statement | undefined,
  { limit, otherwise }: { readonly limit: number; readonly otherwise: number },
  lowering: Lowering,
): TrackerWeight {
  const [number, direction] = statement?.words ?? [];
  const none = { weight: otherwise, reverse: false };
  if (statement === undefined || number === undefined) return none;
  const weight = parseWhole(number.text, -limit, limit);
  if (weight === undefined) {
    reportValue(statement, number, `a whole number from ${-limit} to ${limit}`, lowering);
    return none;
  }
  if (direction === undefined || direction.text === "noreverse") return { weight, reverse: false };
  if (direction.text === "reverse") return { weight, reverse: true };
  reportValue(statement, direction, "reverse or noreverse after the number", lowering);
  return none;
}
