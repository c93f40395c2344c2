import type { DataPath } from "../../config/virtual-servers.ts";
import { DATA_PATH_MARKS } from "../../config/virtual-servers.ts";

const { first, last } = DATA_PATH_MARKS;
const SIZE = last - first + 1;

/** Equal for two ways to one real server that are the same way. */
export const dataPathKey = ({ server, forwarding }: DataPath): string =>
  JSON.stringify([server, forwarding]);

/**
 * Gives marks by what they stand for, so that whoever comes after a restart gives the same ones; only where
 * two would be equal does it count which came first.
 */
export class DataPathMarks {
  readonly #taken = new Set<number>();
  readonly #given = new Map<string, number>();

  take(key: string): number {
    const known = this.#given.get(key);
    if (known !== undefined) return known;
    let offset = hashOf(key) % SIZE;
    while (this.#taken.has(first + offset)) offset = (offset + 1) % SIZE;
    const mark = first + offset;
    this.#taken.add(mark);
    this.#given.set(key, mark);
    return mark;
  }

  giveBack(key: string): void {
    const mark = this.#given.get(key);
    if (mark !== undefined) this.#taken.delete(mark);
    this.#given.delete(key);
  }
}

/** FNV-1a of 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  }
  return hash >>> 0;
}
