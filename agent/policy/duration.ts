import type { Micros } from "../core/time.ts";
import { micros } from "../core/time.ts";

const MICROS_OF = { ms: 1_000, s: 1_000_000, m: 60_000_000, h: 3_600_000_000 } as const;

/**
 * Reads a duration of the SDK: `"500ms"`, `"1.5m"`. `undefined` for what is none: no number, another
 * unit, spaces, a sign, an exponent, or more than 24 days.
 */
export function parseDuration(text: unknown): Micros | undefined {
  if (typeof text !== "string" || text.length > 20) return undefined;
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  const [, number = "", unit = "ms"] = parts ?? [];
  if (parts === null || !isUnit(unit)) return undefined;
  const value = Number(number) * MICROS_OF[unit];
  return value <= LONGEST ? micros(Math.round(value)) : undefined;
}

/** What a 32-bit timer of milliseconds can count. */
const LONGEST = 2_147_483_647_000;

const isUnit = (text: string): text is keyof typeof MICROS_OF => Object.hasOwn(MICROS_OF, text);
