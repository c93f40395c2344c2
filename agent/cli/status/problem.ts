import type { Advice } from "./words.ts";

/** What needs a person. */
export interface Problem extends Advice {
  /** The router, process or file. */
  readonly subject: string;
}
