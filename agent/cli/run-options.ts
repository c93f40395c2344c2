import { resolve } from "node:path";
import type { RunOptions } from "../config/run-options.ts";
import { DEFAULT_SETTINGS_FILE } from "../config/settings.ts";
import { DEFAULT_POLICIES } from "../policy/discover.ts";
import type { ParsedArguments } from "./arguments.ts";
import { UsageError } from "./arguments.ts";
import type { Terminal } from "./host.ts";
import { KEEPALIVED_OPTIONS } from "./keepalived-options.ts";

export const DEFAULT_CONFIG = "/etc/keepalived/keepalived.conf";
export const DEFAULT_STATE = "/var/lib/holdfast";
export const DEFAULT_CONTROL = "/run/holdfast/control.sock";

/** The value of an option, or `undefined` where it was left out. */
export function textOf(parsed: ParsedArguments, name: string): string | undefined {
  const value = parsed.options.get(name);
  return typeof value === "string" ? value : undefined;
}

/** Turns the words of `holdfast run` into what the agent is told. Throws a UsageError. */
export function runOptions(parsed: ParsedArguments, terminal: Terminal): RunOptions {
  const path = (name: string): string | undefined => {
    const value = textOf(parsed, name);
    if (value === "") throw new UsageError(`--${name} needs the name of a file`);
    return value === undefined ? undefined : resolve(value);
  };
  const vrrpOnly = parsed.options.has("vrrp");
  const directorOnly = parsed.options.has("check");
  if (vrrpOnly && directorOnly) throw new UsageError("-P and -C leave nothing to run");
  return {
    configFile: path("config") ?? path("use-file") ?? DEFAULT_CONFIG,
    policiesDirectory: path("policies") ?? DEFAULT_POLICIES,
    settingsFile: path("settings") ?? DEFAULT_SETTINGS_FILE,
    stateDirectory: path("state") ?? DEFAULT_STATE,
    controlSocket: path("control") ?? DEFAULT_CONTROL,
    logFormat: logFormat(parsed, terminal),
    logDetail: parsed.options.has("log-detail"),
    syslogFacility: facility(textOf(parsed, "log-facility")),
    vrrpOnly,
    directorOnly,
    leaveServices: parsed.options.has("dont-release-ipvs"),
    respawn: !parsed.options.has("dont-respawn"),
    pidFiles: { supervisor: path("pid"), vrrp: path("vrrp_pid"), director: path("checkers_pid") },
    configId: textOf(parsed, "config-id"),
    includesMustExist: parsed.options.has("all-config"),
    umask: umaskOf(parsed),
    reportAddresses: parsed.options.has("address-monitoring"),
  };
}

function logFormat(parsed: ParsedArguments, terminal: Terminal): "pretty" | "json" {
  const format = textOf(parsed, "log-format");
  if (format === "pretty" || format === "json") return format;
  if (format !== undefined) {
    throw new UsageError(`--log-format ${format} is not known`, "there are pretty and json");
  }
  return parsed.options.has("log-console") || terminal.isTerminal ? "pretty" : "json";
}

/** keepalived's -S: 0–7 are local0–local7, which are the facilities 16–23. */
function facility(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === "user") return 1;
  if (text === "daemon") return 3;
  const number = /^(?:local)?([0-7])$/.exec(text)?.[1];
  if (number !== undefined) return 16 + Number(number);
  throw new UsageError(
    `--log-facility ${text} is not known`,
    "there are 0 to 7, local0 to local7, user and daemon",
  );
}

/** keepalived's -u, octal. */
function umaskOf(parsed: ParsedArguments): number | undefined {
  const text = textOf(parsed, "umask");
  if (text === undefined) return undefined;
  if (/^(0o?)?[0-7]{1,3}$/.test(text)) return Number.parseInt(text.replace("o", ""), 8);
  throw new UsageError(`--umask ${text} is no octal number up to 777`);
}

/** One line for each option that was given and does nothing. */
export function notesOn(parsed: ParsedArguments): readonly string[] {
  return KEEPALIVED_OPTIONS.flatMap((option) => {
    if (option.noEffect === undefined || !parsed.options.has(option.name)) return [];
    const short = option.short === undefined ? "" : `-${option.short}, `;
    return [`${short}--${option.name} has no effect: ${option.noEffect}`];
  });
}
