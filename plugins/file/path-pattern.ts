import { globMatches } from "../permission/glob.ts";
import type { PatternLanguage } from "../permission/pattern-list.ts";
import { bad, patternList } from "../permission/pattern-list.ts";

/** A path glob: `*` stands for any text within a name, `**` as a name for any number of names. */
export interface PathPattern {
  readonly names: readonly string[];
  /** The folder before the first name with a `*`, which may lie behind links: `/var/run`. */
  readonly folder: string;
}

const language: PatternLanguage<PathPattern> = {
  permission: "read",
  example: "/proc/loadavg",
  read(text) {
    if (!text.startsWith("/")) return bad("is no absolute path");
    const names = text.split("/").slice(1);
    if (names.some((name) => name === "" || name === "." || name === "..")) {
      return bad("has an empty name, or . or .. as one");
    }
    if (text.includes("\0")) return bad("has a NUL in it");
    const literal = names.findIndex((name) => name.includes("*"));
    const folder = names.slice(0, literal < 0 ? names.length - 1 : literal);
    return { ok: true, pattern: { names, folder: `/${folder.join("/")}` } };
  },
  covers: (wide, narrow) => namesMatch(wide.names, narrow.names),
};

/** Absolute path globs. */
export const readPermission = patternList(language);

/** Whether a path, which must be free of `.` and `..`, fits; also a narrower pattern does. */
export function pathMatches(pattern: PathPattern, path: string): boolean {
  return namesMatch(pattern.names, path.split("/").slice(1));
}

/** The same pattern with its folder at another place. */
export function moved({ names, folder }: PathPattern, to: string): PathPattern {
  const depth = folder === "/" ? 0 : folder.split("/").length - 1;
  const place = to === "/" ? [] : to.split("/").slice(1);
  return { names: [...place, ...names.slice(depth)], folder: to };
}

/** Row by row, so that many `**` take no longer than their product. */
function namesMatch(pattern: readonly string[], names: readonly string[]): boolean {
  let fits = [true, ...names.map(() => false)];
  for (const part of pattern) {
    const next: boolean[] = [part === "**" && fits[0] === true];
    for (const [index, name] of names.entries()) {
      if (part === "**") next.push(next[index] === true || fits[index + 1] === true);
      // What `**` of a narrower pattern stands for, no single name does.
      else next.push(fits[index] === true && name !== "**" && globMatches(part, name));
    }
    fits = next;
  }
  return fits.at(-1) === true;
}
