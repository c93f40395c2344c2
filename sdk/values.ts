/**
 * A span of time: a number and its unit, as in `"500ms"`, `"2s"`, `"1.5m"`, `"12h"`. Neither sign nor
 * spaces; where it is used says how long it may be.
 *
 * @example
 * import type { Duration } from "holdfast/sdk";
 *
 * export const PATIENCE: Duration = "1.5s";
 */
export type Duration = `${number}${"ms" | "s" | "m" | "h"}`;

/** What crosses the border of the sandbox: plain data, without cycles, functions or dates. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };
