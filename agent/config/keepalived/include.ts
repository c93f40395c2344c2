import type { ConfigHost } from "./config-host.ts";

/** What must hold of an include line. */
export interface IncludeChecks {
  /** Files can be read. */
  readonly readable: boolean;
  /** A name without wildcards exists. */
  readonly match: boolean;
  /** A name with wildcards matches something. */
  readonly wildcard: boolean;
  /** Every alternative of braces matches something. */
  readonly brace: boolean;
}

export const noIncludeChecks: IncludeChecks = {
  readable: false,
  match: false,
  wildcard: false,
  brace: false,
};
/** keepalived's `includea`, and its option -e for every include line. */
export const allIncludeChecks: IncludeChecks = {
  readable: true,
  match: true,
  wildcard: true,
  brace: true,
};

/** Checks that an include word adds: `include` itself, or one with a suffix letter. */
const suffixes: ReadonlyMap<string, IncludeChecks> = new Map([
  ["include", noIncludeChecks],
  ["includer", { ...noIncludeChecks, readable: true }],
  ["includem", { ...noIncludeChecks, match: true }],
  ["includew", { ...noIncludeChecks, wildcard: true }],
  ["includeb", { ...noIncludeChecks, brace: true }],
  ["includea", allIncludeChecks],
]);

/** Checks of an include line; `undefined`: the word is no include. */
export function includeChecks(keyword: string, base: IncludeChecks): IncludeChecks | undefined {
  const own = suffixes.get(keyword);
  if (own === undefined) return undefined;
  return {
    readable: own.readable || base.readable,
    match: own.match || base.match,
    wildcard: own.wildcard || base.wildcard,
    brace: own.brace || base.brace,
  };
}

const checkNames: ReadonlyMap<string, Partial<IncludeChecks>> = new Map([
  ["readable", { readable: true }],
  ["match", { match: true }],
  ["wildcard_match", { wildcard: true }],
  ["brace_match", { brace: true }],
]);

/** Checks after an `include_check` line: none of the words means all of them. */
export function readIncludeCheck(words: readonly string[], base: IncludeChecks): IncludeChecks {
  if (words.length === 0) return allIncludeChecks;
  let checks = /^[+-]/.test(words[0] ?? "") ? base : noIncludeChecks;
  let sign = "+";
  for (const word of words) {
    if (/^[+-]/.test(word)) sign = word.charAt(0);
    const check = checkNames.get(word.replace(/^[+-]/, ""));
    if (check === undefined) continue;
    const entries = Object.keys(check).map((name) => [name, sign === "+"]);
    checks = { ...checks, ...Object.fromEntries(entries) };
  }
  return checks;
}

/** The files of one include line. */
export interface IncludedFiles {
  readonly paths: readonly string[];
  /** Alternatives that matched nothing, with the check that covers them. */
  readonly unmatched: readonly { readonly pattern: string; readonly check: keyof IncludeChecks }[];
}

/** Alternatives that braces of one line may expand to. */
const maxAlternatives = 1_000;

/** Finds the files of an include; a relative one starts in the including file's directory. */
export function includedFiles(pattern: string, directory: string, host: ConfigHost): IncludedFiles {
  const alternatives = expandBraces(pattern);
  const paths: string[] = [];
  const unmatched: { pattern: string; check: keyof IncludeChecks }[] = [];
  for (const alternative of alternatives) {
    const wildcard = /[*?[]/.test(alternative);
    const found = host.glob(alternative, directory);
    paths.push(...found);
    if (found.length > 0) continue;
    const check = alternatives.length > 1 ? "brace" : wildcard ? "wildcard" : "match";
    unmatched.push({ pattern: alternative, check });
  }
  return { paths, unmatched };
}

/** Expands csh's braces: `{a,b{c,d}}x` is ax, bcx, bdx. Unbalanced braces stand for themselves. */
function expandBraces(pattern: string): readonly string[] {
  let patterns: string[] = [pattern];
  const done: string[] = [];
  while (patterns.length > 0 && done.length + patterns.length <= maxAlternatives) {
    const next: string[] = [];
    for (const each of patterns) {
      const innermost = /^(.*?)\{([^{}]*)\}(.*)$/.exec(each);
      if (innermost === null) done.push(each);
      else {
        const [, before = "", choices = "", after = ""] = innermost;
        for (const choice of choices.split(",")) next.push(before + choice + after);
      }
    }
    patterns = next;
  }
  return [...new Set([...done, ...patterns])].slice(0, maxAlternatives);
}

/** The directory part of a path, made absolute. */
export function directoryOf(path: string, workingDirectory: string): string {
  const absolute = absolutePath(path, workingDirectory);
  return absolute.slice(0, absolute.lastIndexOf("/")) || "/";
}

/** Joins and tidies: no `.`, `..` or doubled slashes remain. */
export function absolutePath(path: string, workingDirectory: string): string {
  const parts: string[] = [];
  const whole = path.startsWith("/") ? path : `${workingDirectory}/${path}`;
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
