import type { Json } from "../../sdk/index.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";

const MOST_PATTERNS = 256;
const LONGEST_PATTERN = 500;

/** A pattern that was read, or what is wrong with it: the words after `"…" `. */
export type ReadPattern<P> =
  | { readonly ok: true; readonly pattern: P }
  | { readonly ok: false; readonly problem: string };

export interface PatternLanguage<P> {
  /** Keyword of the permission: `tcp`. */
  readonly permission: string;
  /** As an author writes one, for messages. */
  readonly example: string;
  read(text: string): ReadPattern<P>;
  /** Whatever `narrow` lets through, `wide` does as well. */
  covers(wide: P, narrow: P): boolean;
}

/** A permission that is a list of patterns. */
export interface PatternList<P> extends Pick<Plugin, "checkPermission" | "missing"> {
  /** The patterns of a call's permission; what cannot be read grants nothing. */
  granted(permission: Json): readonly P[];
  /** The error for what no pattern covers; `words`: a pattern that would. */
  refusal(words: string): CallError;
}

/** What all permissions have in common that list patterns of one language. */
export function patternList<P>(language: PatternLanguage<P>): PatternList<P> {
  const { permission: keyword, example } = language;
  // The permission of a policy is one object for as long as the policy is loaded.
  const remembered = new WeakMap<readonly Json[], readonly P[]>();

  const problemOf = (text: Json): string | undefined => {
    if (typeof text !== "string") return `${keyword} lists texts such as "${example}"`;
    const shown = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
    if (text.length > LONGEST_PATTERN) return `${shown} is longer than ${LONGEST_PATTERN}`;
    const read = language.read(text);
    return read.ok ? undefined : `${shown} ${read.problem}`;
  };

  const granted = (permission: Json): readonly P[] => {
    if (!isList(permission)) return [];
    const known = remembered.get(permission);
    if (known !== undefined) return known;
    const patterns = permission
      .filter((text) => typeof text === "string")
      .map((text) => language.read(text))
      .filter((read) => read.ok)
      .map((read) => read.pattern);
    remembered.set(permission, patterns);
    return patterns;
  };

  return {
    granted,
    checkPermission(permission) {
      if (!isList(permission)) return `${keyword} is a list of texts such as ["${example}"]`;
      if (permission.length > MOST_PATTERNS) return `${keyword} lists more than ${MOST_PATTERNS}`;
      return permission.map(problemOf).find((problem) => problem !== undefined);
    },
    missing(asked, given) {
      if (!isList(asked)) return [];
      const wide = granted(given);
      return asked
        .filter((text) => typeof text === "string")
        .filter((text) => !isCovered(language, text, wide))
        .map((text) => `${keyword} ${text}`);
    },
    refusal: (words) =>
      new CallError(
        "permission",
        `it is not permitted; what would permit it, in the policy and in its grant: ${keyword} ${words}`,
      ),
  };
}

function isCovered<P>(language: PatternLanguage<P>, text: string, wide: readonly P[]): boolean {
  const read = language.read(text);
  return read.ok && wide.some((pattern) => language.covers(pattern, read.pattern));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export const bad = (problem: string): { readonly ok: false; readonly problem: string } => ({
  ok: false,
  problem,
});
