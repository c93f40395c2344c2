import type { Json } from "../../../sdk/index.ts";
import type { OpenPlugin, Plugin } from "../../../sdk/plugin.ts";
import type { Settings, SettingValue } from "../../config/settings.ts";
import { plainEqual } from "../../core/plain-equal.ts";
import type { LogLevel } from "../ipc.ts";
import type { PolicyHostPorts } from "./ports.ts";

/** One plugin, opened when it is first needed. */
class Capability {
  readonly plugin: Plugin;
  /** Of holdfast.conf: the plugin is opened anew when it changes. */
  readonly options: SettingValue;
  readonly #open: () => OpenPlugin | Promise<OpenPlugin>;
  #opened: Promise<OpenPlugin> | undefined;

  constructor(plugin: Plugin, options: SettingValue, open: () => OpenPlugin | Promise<OpenPlugin>) {
    this.plugin = plugin;
    this.options = options;
    this.#open = open;
  }

  opened(): Promise<OpenPlugin> {
    this.#opened ??= (async () => await this.#open())();
    return this.#opened;
  }

  async close(): Promise<void> {
    // What could not be opened has nothing to close.
    const plugin = await this.#opened?.catch(() => undefined);
    await plugin?.close();
  }
}

/** What an operation of a policy leads to. */
export interface Route {
  readonly plugin: Plugin;
  readonly method: string;
  readonly permission: Json | undefined;
  /** As in `permissions`, for refusals. */
  readonly permissionName: string;
  opened(): Promise<OpenPlugin>;
}

type Permissions = Readonly<Record<string, Json>>;
type Ports = Pick<PolicyHostPorts, "plugins" | "loadPlugin" | "secret" | "clock">;

/** What every policy may use without asking. */
const FREE: ReadonlySet<string> = new Set(["kv"]);
/** First part of the operations of an operator's plugins: `plugin.NAME.METHOD`. */
const OWN = "plugin";

/** The plugins: ours, and an operator's. */
export class Capabilities {
  readonly #ports: Ports;
  readonly #log: (level: LogLevel, message: string) => void;
  readonly #ours = new Map<string, Capability>();
  readonly #operators = new Map<string, Capability>();
  readonly #packages = new Map<string, string>();
  #settings: Settings | undefined;
  #changes = 0;

  constructor(ports: Ports, log: (level: LogLevel, message: string) => void) {
    this.#ports = ports;
    this.#log = log;
  }

  /** All that are there; they know what permissions mean. */
  get plugins(): readonly Plugin[] {
    return [...this.#ports.plugins, ...[...this.#operators.values()].map(({ plugin }) => plugin)];
  }

  /** Answers whether one of them is another one now, or was opened with other options. */
  async configure(settings: Settings): Promise<boolean> {
    this.#settings = settings;
    this.#changes = 0;
    for (const plugin of this.#ports.plugins) {
      this.#keep(this.#ours, plugin, settings.pluginOptions[plugin.name] ?? null);
    }
    const named = new Set(settings.plugins.map(({ name }) => name));
    for (const name of [...this.#operators.keys()]) {
      if (!named.has(name)) this.#drop(this.#operators, name);
    }
    for (const { name, package: packageName, options } of settings.plugins) {
      const loaded = this.#operators.get(name)?.plugin;
      const known = this.#packages.get(name) === packageName ? loaded : undefined;
      const plugin = known ?? (await this.#load(name, packageName));
      if (plugin !== undefined) this.#keep(this.#operators, plugin, options, name);
      else this.#drop(this.#operators, name);
    }
    return this.#changes > 0;
  }

  /** Where an operation leads; `undefined`: there is no such operation. */
  route(operation: string, permissions: Permissions): Route | undefined {
    const [first = "", second = "", ...rest] = operation.split(".");
    const own = first === OWN;
    const capability = own ? this.#operators.get(second) : this.#ours.get(first);
    const method = own ? rest.join(".") : [second, ...rest].join(".");
    if (capability === undefined || !capability.plugin.methods.includes(method)) return undefined;
    const { plugin } = capability;
    const granted = own ? permissionOf(permissions, "plugins") : permissions;
    const permission = permissionOf(granted, own ? second : plugin.permission);
    return {
      plugin,
      method,
      permission: permission ?? (FREE.has(plugin.name) ? null : undefined),
      permissionName: own ? `plugins.${second}` : plugin.permission,
      opened: () => capability.opened(),
    };
  }

  /** Watches what a policy reads without calls. Resolves when everything was told once. */
  async watch(
    permissions: Permissions,
    changed: (plugin: string, values: Json) => void,
  ): Promise<() => void> {
    const watches: { close(): void }[] = [];
    const unwatch = (): void => {
      for (const watch of watches.splice(0)) watch.close();
    };
    try {
      for (const { plugin, opened, permission } of this.#permitted(permissions)) {
        const open = await opened();
        const watch = open.watch?.(permission, (values) => changed(plugin.name, values));
        if (watch !== undefined) watches.push(watch);
      }
    } catch (error) {
      unwatch();
      throw error;
    }
    return unwatch;
  }

  async close(): Promise<void> {
    const all = [...this.#ours.values(), ...this.#operators.values()];
    await Promise.all(all.map((capability) => capability.close()));
  }

  *#permitted(permissions: Permissions): Generator<{
    readonly plugin: Plugin;
    readonly permission: Json;
    opened(): Promise<OpenPlugin>;
  }> {
    for (const capability of this.#ours.values()) {
      const { plugin } = capability;
      const permission = permissionOf(permissions, plugin.permission);
      if (permission === undefined) continue;
      yield { plugin, permission, opened: () => capability.opened() };
    }
    const own = permissionOf(permissions, "plugins");
    for (const [name, capability] of this.#operators) {
      const permission = permissionOf(own, name);
      if (permission === undefined) continue;
      yield { plugin: capability.plugin, permission, opened: () => capability.opened() };
    }
  }

  #keep(
    among: Map<string, Capability>,
    plugin: Plugin,
    options: SettingValue,
    name = plugin.name,
  ): void {
    const known = among.get(name);
    if (known?.plugin === plugin && plainEqual(known.options, options, new Set())) return;
    if (known !== undefined) this.#drop(among, name);
    this.#changes += 1;
    among.set(name, new Capability(plugin, options, () => this.#openPlugin(plugin, options, name)));
  }

  #openPlugin(
    plugin: Plugin,
    options: SettingValue,
    name: string,
  ): OpenPlugin | Promise<OpenPlugin> {
    return plugin.open({
      options,
      wallClock: () => this.#ports.clock.wallClock(),
      log: (level, message) => this.#log(level, `plugin ${name}: ${message}`),
      secret: (text) => this.#ports.secret(text, this.#settings?.secrets ?? {}),
    });
  }

  #drop(among: Map<string, Capability>, name: string): void {
    const capability = among.get(name);
    if (!among.delete(name)) return;
    this.#changes += 1;
    void capability?.close();
  }

  async #load(name: string, packageName: string): Promise<Plugin | undefined> {
    try {
      const plugin = await this.#ports.loadPlugin(packageName);
      this.#packages.set(name, packageName);
      return plugin;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log("error", `plugin ${name} (${packageName}) cannot be loaded: ${why}`);
      return undefined;
    }
  }
}

function permissionOf(permissions: Json | undefined, name: string): Json | undefined {
  if (typeof permissions !== "object" || permissions === null) return undefined;
  return new Map<string, Json>(Object.entries(permissions)).get(name);
}
