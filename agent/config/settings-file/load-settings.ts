import type { Diagnostic } from "../diagnostic.ts";
import { diagnose } from "../diagnostic-codes.ts";
import type { ConfigHost, FileText } from "../keepalived/config-host.ts";
import { parseKeepalived } from "../keepalived/parse-keepalived.ts";
import { exposure, walk } from "../path-walk.ts";
import type { Settings } from "../settings.ts";
import { noSettings } from "../settings.ts";
import { settingsTable } from "./keyword-table.ts";
import { lowerSettings } from "./lower-settings.ts";

export interface LoadedSettings {
  /** Nothing is granted when any diagnostic is an error. */
  readonly settings: Settings;
  /** Ordered by place. */
  readonly diagnostics: readonly Diagnostic[];
}

/** S_IWGRP | S_IWOTH. */
const OTHERS_WRITE = 0o022;

/**
 * Reads holdfast.conf. A file that is not there grants nothing, and is no error. Whoever can write it,
 * or a file that it includes, can do what root can: such a file is refused.
 *
 * @param file absolute path
 * @param routers names of the instances that `control` may name; `undefined`: they are not known
 */
export function loadSettings(
  file: string,
  host: ConfigHost,
  routers?: ReadonlySet<string>,
): LoadedSettings {
  const fault = trustFault(file, host);
  if (fault !== undefined) return failed(file, "settings-exposed", fault.reason, fault.remedy);
  const read = host.readFile(file);
  if (!read.ok) return unread(file, read.errno, host);
  // What is included decides as much.
  const trusting: ConfigHost = { ...host, readFile: (path) => readTrusted(path, host) };
  const parsed = parseKeepalived({ file, text: read.text }, trusting, settingsTable);
  const lowered = lowerSettings(file, parsed.tree, host, routers);
  const diagnostics = [...parsed.diagnostics, ...lowered.diagnostics];
  const refused = diagnostics.some(({ severity }) => severity === "error");
  return { settings: refused ? noSettings(file) : lowered.settings, diagnostics };
}

function trustFault(path: string, host: ConfigHost) {
  const found = walk(path, host);
  if (!found.ok) return undefined;
  const fault = exposure(found.steps, [0, host.uid]);
  if (fault !== undefined || (found.entry.mode & OTHERS_WRITE) === 0) return fault;
  return { path, reason: `others may write ${path}`, remedy: `chmod go-w ${path}` };
}

function readTrusted(path: string, host: ConfigHost): FileText {
  const fault = trustFault(path, host);
  if (fault === undefined) return host.readFile(path);
  return { ok: false, errno: `${fault.reason}; ${fault.remedy}` };
}

function unread(file: string, errno: string, host: ConfigHost): LoadedSettings {
  if (errno === "ENOENT") return { settings: noSettings(file), diagnostics: [] };
  const message = `${file} cannot be read (${errno})`;
  if (errno !== "EACCES" || host.uid === 0) return failed(file, "settings-unreadable", message);
  const hint = "run this as root to see it as the agent does";
  return failed(file, "settings-not-seen", `${message} by this user`, hint);
}

function failed(
  file: string,
  code: "settings-exposed" | "settings-unreadable" | "settings-not-seen",
  message: string,
  hint?: string,
): LoadedSettings {
  const found = diagnose(code, { file, line: 1, column: 1 }, "", message, hint);
  return { settings: noSettings(file), diagnostics: [found] };
}
