import type { ConfigHost, PathEntry } from "../../../agent/config/keepalived/config-host.ts";
import { loadSettings } from "../../../agent/config/settings-file/load-settings.ts";
import { memoryHost } from "../language/memory-host.ts";
import { brief } from "../lower/lowered.ts";

const FILE = "/etc/holdfast/holdfast.conf";

/** A file of root's that nobody else may read. */
export const PRIVATE = {
  ok: true,
  kind: "file",
  uid: 0,
  gid: 0,
  mode: 0o600,
  target: undefined,
} as const satisfies PathEntry;

/** Loads a text as holdfast.conf of a machine with these other files, root's and executable. */
export function ownSettings(
  text: string,
  files: readonly string[] = [],
  entries: Readonly<Record<string, PathEntry>> = {},
  more: Partial<ConfigHost> = {},
) {
  const others = Object.fromEntries([...files, ...Object.keys(entries)].map((file) => [file, "x"]));
  const usual = memoryHost({ ...others, [FILE]: text });
  const entry = (path: string): PathEntry => entries[path] ?? usual.entry(path);
  const { settings, diagnostics } = loadSettings(FILE, { ...usual, entry, ...more });
  return { settings, diagnostics, findings: brief(diagnostics) };
}
