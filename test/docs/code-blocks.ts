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

/** The fenced blocks of a page, in their order. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  const whole = readFileSync(page, "utf8");
  return [...whole.matchAll(FENCED)].map(({ 1: language = "", 2: text = "", index }) => ({
    language,
    file: NAMED.exec(text)?.[1],
    text,
    line: whole.slice(0, index).split("\n").length + 1,
  }));
}
