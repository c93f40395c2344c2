import { readFileSync } from "node:fs";

/** A fenced block of a page. */
export interface CodeBlock {
  readonly language: string;
  /** Absolute path, where the first line names one in a comment. */
  readonly file: string | undefined;
  readonly text: string;
  /** Of the block's first line in the page, from 1. */
  readonly line: number;
}

const FENCED = /^```(\w*)\n([\s\S]*?)^```$/gm;
const NAMED = /^(?:\/\/|#) (\/[\w./-]+)/;

/** The fenced blocks of a page, or of its section of this name, in their order. */
export function codeBlocks(page: string, section?: string): readonly CodeBlock[] {
  const whole = readFileSync(page, "utf8");
  const begin = section === undefined ? 0 : whole.indexOf(`\n## ${section}\n`);
  if (begin < 0) throw new RangeError(`${page} has no section ${section}`);
  const next = section === undefined ? -1 : whole.indexOf("\n## ", begin + 1);
  const end = next < 0 ? whole.length : next;
  const found = [...whole.matchAll(FENCED)].filter(({ index }) => index >= begin && index < end);
  return found.map(({ 1: language = "", 2: text = "", index }) => ({
    language,
    file: NAMED.exec(text)?.[1],
    text,
    line: whole.slice(0, index).split("\n").length + 1,
  }));
}
