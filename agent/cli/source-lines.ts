import { readFileSync } from "node:fs";
import type { Position } from "../config/position.ts";

/** The source line of a place, where it is at hand. */
export type SourceLine = (position: Position) => string | undefined;

/** Reads the lines that findings are about; each file once. A file that is gone has no lines. */
export function sourceLines(): SourceLine {
  const files = new Map<string, readonly string[]>();
  return ({ file, line }) => {
    const lines = files.get(file) ?? readLines(file);
    files.set(file, lines);
    return lines[line - 1];
  };
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}
