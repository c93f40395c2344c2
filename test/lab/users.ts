import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Brand } from "../interop/programs.ts";

const FOLDER = join(import.meta.dirname, "../vectors/configs/users");

/** A file that users have, byte for byte. */
export const userFile = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

/** The same file on the other node. Throws where `from` is not in it. */
export function changed(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((so, [from, to]) => {
    if (!so.includes(from)) throw new TypeError(`there is no "${from}" in it`);
    return so.replace(from, to);
  }, text);
}

/** Who runs on the first and on the second node. */
export const PAIRINGS: readonly (readonly [Brand, Brand])[] = [
  ["holdfast", "holdfast"],
  ["holdfast", "keepalived"],
  ["keepalived", "holdfast"],
];
