import type { Micros } from "../../../../core/time.ts";
import type { Statement } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import type { WholeRange } from "../values.ts";
import { readSeconds, readSwitch, readWhole } from "../values.ts";

/** The lines of a block by keyword: of each the last, as the last one counts. */
export type Lines = ReadonlyMap<string, Statement>;

export function linesOf({ block = [] }: Statement): Lines {
  const lines = new Map<string, Statement>();
  for (const line of block) lines.set(line.keyword.text, line);
  return lines;
}

export const textOf = (lines: Lines, name: string): string | undefined =>
  lines.get(name)?.words[0]?.text;

export function switchOf(lines: Lines, name: string, lowering: Lowering): boolean | undefined {
  const line = lines.get(name);
  return line && readSwitch(line, lowering)?.value;
}

export function wholeOf(
  lines: Lines,
  name: string,
  range: WholeRange,
  lowering: Lowering,
): number | undefined {
  const line = lines.get(name);
  return line && readWhole(line, range, lowering)?.value;
}

export function secondsOf(
  lines: Lines,
  name: string,
  range: WholeRange,
  lowering: Lowering,
): Micros | undefined {
  const line = lines.get(name);
  return line && readSeconds(line, range, lowering)?.value;
}
