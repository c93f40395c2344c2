import type { Config } from "./config.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { ConfigHost } from "./keepalived/config-host.ts";
import { inOrder } from "./keepalived/findings.ts";
import { allIncludeChecks, noIncludeChecks } from "./keepalived/include.ts";
import { keywordTable } from "./keepalived/keyword-table.ts";
import { lowerKeepalived } from "./keepalived/lower/lower.ts";
import { parseKeepalived } from "./keepalived/parse-keepalived.ts";
import type { Settings } from "./settings.ts";
import { DEFAULT_SETTINGS_FILE, noSettings } from "./settings.ts";

export interface LoadedConfig {
  /** `undefined` when any diagnostic is an error. */
  readonly config: Config | undefined;
  readonly settings: Settings;
  /** Ordered by file as first met, line and column. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a keepalived.conf and everything that it includes, and gives it its meaning. Never throws for
 * what a file says; the time is linear in its size.
 *
 * @param entry name of the file, as findings should show it, and its text
 * @param includesMustExist an include line that names no file is an error: keepalived's -e
 */
export function loadConfig(
  entry: { readonly file: string; readonly text: string },
  host: ConfigHost,
  includesMustExist = false,
): LoadedConfig {
  const checks = includesMustExist ? allIncludeChecks : noIncludeChecks;
  const parsed = parseKeepalived(entry, host, keywordTable, checks);
  const lowered = lowerKeepalived(parsed.tree, host);
  const diagnostics = merge(parsed.diagnostics, lowered.diagnostics);
  const refused = diagnostics.some(({ severity }) => severity === "error");
  const settings = noSettings(DEFAULT_SETTINGS_FILE);
  return { config: refused ? undefined : lowered.config, settings, diagnostics };
}

/** Lowering says what this means for an instance, line by line. */
const SAID_BETTER: ReadonlySet<string> = new Set(["track_bfd"]);

/** One finding for each word: the language's own, unless its meaning is the graver matter. */
function merge(
  language: readonly Diagnostic[],
  meaning: readonly Diagnostic[],
): readonly Diagnostic[] {
  const kept = language.filter(
    ({ code, text }) => code !== "no-effect-yet" || !SAID_BETTER.has(text),
  );
  const severities = new Map(kept.map((each) => [placeOf(each), each.severity]));
  const added = meaning.filter((each) => {
    const before = severities.get(placeOf(each));
    return before === undefined || (before === "warning" && each.severity === "error");
  });
  return inOrder([...kept, ...added]);
}

const placeOf = ({ position: { file, line, column } }: Diagnostic): string =>
  `${line}:${column}:${file}`;
