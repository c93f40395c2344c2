import type { Config } from "./config.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { diagnose } from "./diagnostic-codes.ts";
import type { ConfigHost } from "./keepalived/config-host.ts";
import { inOrder } from "./keepalived/findings.ts";
import { allIncludeChecks, noIncludeChecks } from "./keepalived/include.ts";
import { keywordTable } from "./keepalived/keyword-table.ts";
import { lowerKeepalived } from "./keepalived/lower/lower.ts";
import { parseKeepalived } from "./keepalived/parse-keepalived.ts";
import type { Statement } from "./keepalived/tree.ts";
import { idleForMandates, missingForMandates } from "./mandate-references.ts";
import type { Settings } from "./settings.ts";
import { DEFAULT_SETTINGS_FILE } from "./settings.ts";
import { loadSettings } from "./settings-file/load-settings.ts";

export interface LoadedConfig {
  /** `undefined` when any diagnostic is an error. */
  readonly config: Config | undefined;
  readonly settings: Settings;
  /** Ordered by file as first met, line and column. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What a configuration is read with, besides its text. */
export interface LoadOptions {
  /** An include line that names no file is an error: keepalived's -e. */
  readonly includesMustExist: boolean;
  /** Absolute path of holdfast.conf. */
  readonly settingsFile: string;
}

const USUAL: LoadOptions = { includesMustExist: false, settingsFile: DEFAULT_SETTINGS_FILE };

/**
 * Reads a keepalived.conf and everything that it includes, and holdfast.conf, and gives them their
 * meaning. Never throws for what a file says; the time is linear in its size.
 *
 * @param entry name of the file, as findings should show it, and its text
 */
export function loadConfig(
  entry: { readonly file: string; readonly text: string },
  host: ConfigHost,
  { includesMustExist, settingsFile }: LoadOptions = USUAL,
): LoadedConfig {
  const checks = includesMustExist ? allIncludeChecks : noIncludeChecks;
  const parsed = parseKeepalived(entry, host, keywordTable, checks);
  const lowered = lowerKeepalived(parsed.tree, host);
  const routers = new Set(lowered.config.instances.map(({ router }) => router.name));
  const own = loadSettings(settingsFile, host, routers);
  const isKnown = own.diagnostics.every(
    ({ severity, code }) => severity !== "error" && code !== "settings-not-seen",
  );
  const found = [
    ...lowered.diagnostics,
    ...mailServer(lowered.config, own.settings, parsed.tree),
    ...(isKnown ? missingForMandates(parsed.tree, own.settings) : []),
  ];
  const idle = isKnown ? idleForMandates(lowered.config, own.settings) : [];
  // Findings may stand in scripts too: what the file itself says comes first.
  const diagnostics = [
    ...inOrder(merge(parsed.diagnostics, found), entry.file),
    ...inOrder([...own.diagnostics, ...idle], settingsFile),
  ];
  const refused = diagnostics.some(({ severity }) => severity === "error");
  return { config: refused ? undefined : lowered.config, settings: own.settings, diagnostics };
}

/** Either file may say where mail goes. */
function mailServer(
  { notifications: { mail } }: Config,
  { smtp }: Settings,
  tree: readonly Statement[],
): readonly Diagnostic[] {
  if (mail === undefined || mail.server !== undefined || smtp !== undefined) return [];
  const at = tree
    .flatMap(({ block = [] }) => block)
    .find(({ keyword }) => keyword.text === "notification_email")?.keyword;
  if (at === undefined) return [];
  const message = "nothing says which server sends the mail to these";
  const hint = "write smtp_server HOST, or an smtp block in holdfast.conf";
  return [diagnose("mail-server-missing", at.position, at.text, message, hint)];
}

/** One finding for each word: the language's own, unless its meaning is the graver matter. */
function merge(
  language: readonly Diagnostic[],
  meaning: readonly Diagnostic[],
): readonly Diagnostic[] {
  const severities = new Map(language.map((each) => [placeOf(each), each.severity]));
  const added = meaning.filter((each) => {
    const before = severities.get(placeOf(each));
    return before === undefined || (before === "warning" && each.severity === "error");
  });
  return [...language, ...added];
}

const placeOf = ({ position: { file, line, column } }: Diagnostic): string =>
  `${line}:${column}:${file}`;
