import type { ProcessTable } from "../../agent/ports/watches.ts";
import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin, Plugin } from "../../sdk/plugin.ts";
import { openCalls } from "../call/calls.ts";
import { nameList } from "../permission/name-list.ts";
import { ProcessCounts } from "./process-counts.ts";

const names = nameList({ permission: "process", example: "nginx", longest: 64 });

/**
 * `ctx.processes.count(name)`: no calls; a policy reads counts that are pushed when they change. The
 * table is asked for when the first policy needs it, and stays open: it is its owner's.
 */
export function processPlugin(openTable: () => ProcessTable): Plugin {
  return {
    name: "process",
    permission: "process",
    methods: [],
    checkPermission: names.checkPermission,
    missing: names.missing,
    open: () => openProcesses(openTable),
  };
}

function openProcesses(openTable: () => ProcessTable): OpenPlugin {
  let counts: ProcessCounts | undefined;
  const calls = openCalls({}, () => counts?.close());
  return {
    ...calls,
    watch(permission, changed) {
      counts ??= new ProcessCounts(openTable());
      const known = counts;
      const watched = names.granted(permission);
      const look = (): Readonly<Record<string, number>> =>
        Object.fromEntries(watched.map((name) => [name, known.count(name)]));
      let told = look();
      changed(told satisfies Json);
      const close = known.listen(() => {
        const now = look();
        if (watched.every((name) => now[name] === told[name])) return;
        told = now;
        changed(now);
      });
      return { close };
    },
  };
}
