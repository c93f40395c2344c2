import { basename } from "node:path";
import { watch } from "chokidar";
import type { WatchFolder } from "./ports.ts";

/** What nobody imports from, and what may be huge. */
const IGNORED: ReadonlySet<string> = new Set(["node_modules", ".git"]);

/** Folders below the policies folder that are watched. */
const DEPTH = 8;

/**
 * Watches with inotify. Its raw events count too: those that chokidar makes of them leave out a second
 * change of a file within 50 ms, and the swap of a link to a folder (`..data` in Kubernetes).
 */
export const watchFolder: WatchFolder = (directory, changed, failed) => {
  const watcher = watch(directory, {
    ignoreInitial: true,
    ignorePermissionErrors: true,
    ignored: (path) => IGNORED.has(basename(path)),
    depth: DEPTH,
  });
  watcher.on("all", () => changed());
  watcher.on("raw", () => changed());
  // What happened while it looked at the folder for the first time.
  watcher.on("ready", () => changed());
  watcher.on("error", (error) => failed(error instanceof Error ? error.message : String(error)));
  return { close: () => watcher.close() };
};
