import type { Position } from "../config/position.ts";

/** Where in an author's file the parts of a policy stand: `["checks", "alive", "every"]` → a place. */
export class Places {
  readonly #start: Position;
  readonly #places = new Map<string, Position>();

  /** @param start the place of what has no place of its own */
  constructor(start: Position) {
    this.#start = start;
  }

  set(path: readonly string[], position: Position): void {
    this.#places.set(JSON.stringify(path), position);
  }

  /** The place of a part, else of the nearest one around it. */
  at(path: readonly string[]): Position {
    for (let length = path.length; length > 0; length -= 1) {
      const found = this.#places.get(JSON.stringify(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return this.#start;
  }
}
