import assert from "node:assert/strict";
import type { Config, InstanceConfig } from "../../../agent/config/config.ts";
import type { Diagnostic } from "../../../agent/config/diagnostic.ts";
import type { ConfigHost } from "../../../agent/config/keepalived/config-host.ts";
import type { LoadedConfig } from "../../../agent/config/load.ts";
import { loadConfig } from "../../../agent/config/load.ts";
import { memoryHost } from "../language/memory-host.ts";

export type Files = Readonly<Record<string, string>>;

/** Loads a text as the file `k.conf`. */
export const load = (
  text: string,
  files: Files = {},
  more: Partial<ConfigHost> = {},
): LoadedConfig => loadConfig({ file: "k.conf", text }, memoryHost(files, more));

/** The configuration of a text without errors. */
export function configOf(text: string, files: Files = {}, more: Partial<ConfigHost> = {}): Config {
  const { config, diagnostics } = load(text, files, more);
  assert.ok(config !== undefined, brief(diagnostics).join("\n"));
  return config;
}

const KEYWORD = /^[ \t]*([a-z_0-9]+)/gm;

/** A vrrp_instance of these lines, with what every instance needs where they do not say it. */
export function instanceText(lines: string, name = "VI"): string {
  const written = new Set([...lines.matchAll(KEYWORD)].map(([, word]) => word));
  const needed: Readonly<Record<string, string>> = {
    interface: "interface eth0",
    virtual_router_id: "virtual_router_id 51",
    virtual_ipaddress: "virtual_ipaddress {\n192.0.2.1/24\n}",
  };
  const rest = Object.entries(needed).filter(([word]) => !written.has(word));
  return `vrrp_instance ${name} {\n${lines}\n${rest.map(([, line]) => line).join("\n")}\n}\n`;
}

/** The only instance of a text. */
export function only(config: Config): InstanceConfig {
  const [instance] = config.instances;
  assert.ok(instance !== undefined);
  return instance;
}

export const instanceOf = (lines: string, around = "", files: Files = {}): InstanceConfig =>
  only(configOf(around + instanceText(lines), files));

/** `LINE:COLUMN CODE`, warnings and errors alike. */
export const brief = (diagnostics: readonly Diagnostic[]): readonly string[] =>
  diagnostics.map(({ code, position: { line, column } }) => `${line}:${column} ${code}`);

/** The value at a path such as `router.vrid` or `addresses.0.label`. */
export function at(value: unknown, path: string): unknown {
  let current = value;
  for (const key of path.split(".")) {
    if (typeof current !== "object" || current === null) return undefined;
    current = Object.entries(current).find(([name]) => name === key)?.[1];
  }
  return current;
}
