import type { Position } from "../position.ts";

/** A word of a statement, after quotes, escapes and definitions are resolved. */
export interface Word {
  readonly text: string;
  readonly position: Position;
  readonly quoted: boolean;
}

/** `keyword word … [{ statements }]`: all that keepalived's language consists of. */
export interface Statement {
  readonly keyword: Word;
  readonly words: readonly Word[];
  /** `undefined`: no block was written; an empty block is an empty list. */
  readonly block: readonly Statement[] | undefined;
  /** The closing brace of the block; without one, the last word. */
  readonly end: Position;
}
