import type { Stats } from "node:fs";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "../sdk/plugin.ts";

/** Why an operator's plugin is not used: what is wrong with it, and what to do. */
export class PluginError extends Error {
  override readonly name = "PluginError";
}

export interface PluginPlaces {
  /** Folders whose node_modules are looked into, in this order. */
  readonly folders: readonly string[];
  /** The user, besides root, whose code is run. */
  readonly uid: number;
}

const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/**
 * Loads plugins of the operator's own: npm packages whose default export, or `plugin`, keeps to the
 * contract. Their code runs with all rights of the agent: files that others may write are refused. A
 * package that was loaded stays as it was until the agent is started anew.
 */
export function pluginLoader({ folders, uid }: PluginPlaces): (name: string) => Promise<Plugin> {
  return async (name) => {
    if (!PACKAGE_NAME.test(name)) throw new PluginError(`"${name}" is no name of an npm package`);
    const directory = directoryOf(name, folders);
    const entry = entryOf(directory);
    checkOwners(directory, entry, uid);
    return pluginIn(await imported(entry));
  };
}

function directoryOf(name: string, folders: readonly string[]): string {
  for (const folder of folders) {
    const path = join(folder, "node_modules", name);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
      return realpathSync(path);
  }
  throw new PluginError(
    `it is not installed; npm install --prefix ${folders[0] ?? "."} ${name} (looked in ${folders
      .map((folder) => join(folder, "node_modules"))
      .join(" and ")})`,
  );
}

type Manifest = Readonly<Record<string, unknown>>;

function entryOf(directory: string): string {
  const manifest = manifestOf(directory);
  const candidates = [target(manifest["exports"]), manifest["main"], "index.js"];
  const entry = candidates.find((candidate) => typeof candidate === "string");
  const path = join(directory, typeof entry === "string" ? entry : "index.js");
  if (!path.startsWith(directory + sep)) {
    throw new PluginError(`its package.json leads out of ${directory}; install it anew`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new PluginError(`${path} is not there; build or install the package anew`);
  }
  return realpathSync(path);
}

function manifestOf(directory: string): Manifest {
  const path = join(directory, "package.json");
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value === "object" && value !== null) return value as Manifest;
  } catch {
    // Told below, as what is no object is.
  }
  throw new PluginError(`${path} cannot be read as JSON; install the package anew`);
}

/** What `exports` of a package.json means for an import of the package itself. */
function target(exports: unknown): string | undefined {
  if (typeof exports === "string") return exports;
  if (typeof exports !== "object" || exports === null) return undefined;
  for (const key of [".", "node", "import", "default"]) {
    const found = target((exports as Manifest)[key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Everything from the root to the file belongs to root or the agent, and nobody else may write it. */
function checkOwners(directory: string, entry: string, uid: number): void {
  const paths = new Set([join(directory, "package.json")]);
  for (let path = entry; path !== dirname(path); path = dirname(path)) paths.add(path);
  for (const path of paths) {
    const stat = statSync(path);
    if (stat.uid !== 0 && stat.uid !== uid) {
      throw new PluginError(`${path} belongs to user ${stat.uid}; chown -R root ${directory}`);
    }
    if (writableByOthers(stat)) {
      throw new PluginError(`others may write ${path}; chmod -R go-w ${path}`);
    }
  }
}

/** A sticky folder, such as /tmp, lets nobody replace what is another's. */
const writableByOthers = (stat: Stats): boolean =>
  (stat.mode & 0o022) !== 0 && !(stat.isDirectory() && (stat.mode & 0o1000) !== 0);

async function imported(entry: string): Promise<Manifest> {
  try {
    return (await import(pathToFileURL(entry).href)) as Manifest;
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    throw new PluginError(`${entry} cannot be run: ${why}`);
  }
}

/** Member of the contract → what it must be. */
const CONTRACT: Readonly<Record<keyof Plugin, (value: unknown) => boolean>> = {
  name: (value) => typeof value === "string" && value !== "",
  permission: (value) => typeof value === "string" && value !== "",
  methods: (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
  checkPermission: (value) => typeof value === "function",
  missing: (value) => typeof value === "function",
  open: (value) => typeof value === "function",
};

function pluginIn(module: Manifest): Plugin {
  const { default: standard, plugin = standard } = module;
  // CommonJS: the default export is all that is exported.
  const inner =
    typeof plugin === "object" && plugin !== null && "plugin" in plugin ? plugin.plugin : plugin;
  if (typeof inner !== "object" || inner === null) {
    throw new PluginError("it exports no plugin: export one as default, or as `plugin`");
  }
  const members = new Map<string, unknown>();
  for (const name of Object.keys(CONTRACT)) members.set(name, (inner as Manifest)[name]);
  const wrong = Object.entries(CONTRACT).find(([name, good]) => !good(members.get(name)));
  if (wrong !== undefined) {
    throw new PluginError(`its plugin has no good \`${wrong[0]}\`; see the contract of plugins`);
  }
  return inner as Plugin;
}
