import { join } from "node:path";
import process from "node:process";
import { pluginLoader } from "../plugins/load-plugin.ts";
import { ownPlugins } from "../plugins/registry.ts";
import type { Plugin } from "../sdk/plugin.ts";
import { accounts } from "./linux/accounts.ts";
import { readInterface } from "./linux/interface-reading.ts";
import { openNeighbourProbes } from "./linux/neighbour-probes.ts";
import { openPings } from "./linux/pings.ts";
import { openProcessTable } from "./linux/process-table.ts";
import { runProgram } from "./linux/programs.ts";
import type { ProcessTable } from "./ports/watches.ts";

/** The kernel's table of processes: one for all who ask, opened for the first of them. */
export function sharedProcessTable(): () => ProcessTable {
  let table: ProcessTable | undefined;
  return () => {
    table ??= openProcessTable();
    return table;
  };
}

/** Our own plugins on this machine. Nothing is opened before a policy calls one of them. */
export const machinePlugins = (
  stateDirectory: string,
  processTable = sharedProcessTable(),
): readonly Plugin[] =>
  ownPlugins({
    runProgram,
    user: (name) => accounts().user(name),
    privileged: process.geteuid?.() === 0,
    openPings,
    openProbes: openNeighbourProbes,
    processTable,
    readInterface,
    kvDirectory: join(stateDirectory, "kv"),
  });

/** `npm install --prefix /etc/holdfast NAME`. */
const PLUGIN_FOLDERS = ["/etc/holdfast", join(import.meta.dirname, "..")];

/** An operator's own plugins, by the names of their packages. */
export const operatorPlugins = (): ((packageName: string) => Promise<Plugin>) =>
  pluginLoader({ folders: PLUGIN_FOLDERS, uid: process.geteuid?.() ?? 0 });
