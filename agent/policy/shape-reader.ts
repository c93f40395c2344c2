import type { Json } from "../../sdk/index.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { Micros } from "../core/time.ts";
import { parseDuration } from "./duration.ts";
import type { Places } from "./places.ts";
import { problem, writtenName } from "./problem.ts";

export type JsonRecord = Readonly<Record<string, Json>>;

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** How much of a policy's own words a finding repeats. */
const LONGEST_ECHO = 40;

/** Reads values of a declared policy; what is wrong becomes a finding at its place. */
export class ShapeReader {
  readonly #places: Places;
  readonly #problems: Diagnostic[] = [];

  constructor(places: Places) {
    this.#places = places;
  }

  get problems(): readonly Diagnostic[] {
    return this.#problems;
  }

  refuse(path: readonly string[], message: string, hint?: string): void {
    const text = writtenName(path);
    this.#problems.push(problem("policy-shape", this.#places.at(path), { message, hint, text }));
  }

  /** `undefined` and null are both: not there. */
  optional<T>(value: Json | undefined, read: (value: Json) => T): T | undefined {
    return value === undefined || value === null ? undefined : read(value);
  }

  integer(value: Json, path: readonly string[], least: number, most: number): number {
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) {
      return value;
    }
    this.refuse(
      path,
      `${nameOf(path)} must be a whole number, ${least} to ${most}, not ${echo(value)}`,
    );
    return least;
  }

  number(value: Json, path: readonly string[], least: number, most: number): number {
    if (typeof value === "number" && value >= least && value <= most) return value;
    this.refuse(path, `${nameOf(path)} must be a number, ${least} to ${most}, not ${echo(value)}`);
    return least;
  }

  duration(value: Json, path: readonly string[], least: Micros, most: Micros): Micros {
    const span = parseDuration(value);
    if (span === undefined) {
      this.refuse(
        path,
        `${nameOf(path)} must be a time, not ${echo(value)}`,
        'a number and ms, s, m or h: "500ms"',
      );
      return least;
    }
    if (span >= least && span <= most) return span;
    this.refuse(
      path,
      `${nameOf(path)} must be ${spelled(least)} to ${spelled(most)}, not ${echo(value)}`,
    );
    return least;
  }

  /** The members of an object; none of anything else. */
  entries(value: Json | undefined, path: readonly string[]): readonly (readonly [string, Json])[] {
    if (value === undefined || value === null) return [];
    if (isRecord(value)) return Object.entries(value);
    this.refuse(path, `${nameOf(path)} must be an object`);
    return [];
  }
}

const nameOf = (path: readonly string[]): string => path.at(-1)?.slice(0, LONGEST_ECHO) ?? "it";

/** A value for a message, cut where it is long. */
function echo(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > LONGEST_ECHO ? `${text.slice(0, LONGEST_ECHO)}…` : text;
}

const UNITS = [
  ["h", 3_600_000_000],
  ["m", 60_000_000],
  ["s", 1_000_000],
  ["ms", 1_000],
] as const;

/** A time as authors write it. */
function spelled(span: Micros): string {
  const [unit, size] = UNITS.find(([, micros]) => span >= micros) ?? ["ms", 1_000];
  return `${span / size}${unit}`;
}
