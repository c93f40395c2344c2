import type { Micros } from "../../../../core/time.ts";
import type { Statement } from "../../tree.ts";
import type { Lowering } from "../lowering.ts";
import type { WholeRange } from "../values.ts";
import { readSeconds, readSwitch, readWhole } from "../values.ts";

/** The lines of a block by keyword: of each the last, as the last one counts. */
export type Lines = Pick<ReadonlyMap<string, Statement>, "get" | "has">;

/** In blocks of more lines than this, looking words up pays for a map. */
const FEW = 24;

export const NO_LINES: Lines = new Map();

export function linesOf({ block }: Statement): Lines {
  if (block === undefined) return NO_LINES;
  if (block.length <= FEW) return new FewLines(block);
  const lines = new Map<string, Statement>();
  for (const line of block) lines.set(line.keyword.text, line);
  return lines;
}

/** There are tens of thousands of such blocks in large files. */
class FewLines implements Lines {
  readonly #block: readonly Statement[];

  constructor(block: readonly Statement[]) {
    this.#block = block;
  }

  get(name: string): Statement | undefined {
    for (let at = this.#block.length - 1; at >= 0; at -= 1) {
      const line = this.#block[at];
      if (line?.keyword.text === name) return line;
    }
    return undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }
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
