import type { FSWatcher } from "node:fs";
import { statSync, watch } from "node:fs";
import { basename } from "node:path";
import type { WatchFile } from "../ports/watches.ts";
import { placesOf } from "./path-places.ts";
import { readText } from "./read-text.ts";

/** `echo 1 > file` empties it first: what is read meanwhile counts for nothing. */
const SETTLE_MS = 10;
/** Where the kernel gives no watch (its limit is reached, or a folder may not be read), it looks. */
const LOOK_MS = 1_000;

/**
 * Watches a file by inotify on each folder that leads to it, so also before they exist, through
 * symbolic links, and when a folder is swapped. `changed` is first called before this returns.
 */
export const watchFile: WatchFile = (path, changed) => {
  const watched = new WatchedFile(path, changed);
  return { close: () => watched.close() };
};

interface Folder {
  readonly inode: string;
  readonly watcher: FSWatcher;
  /** What is looked up in it. */
  names: ReadonlySet<string>;
}

class WatchedFile {
  readonly #path: string;
  readonly #changed: (content: string | undefined) => void;
  readonly #folders = new Map<string, Folder>();
  /** Runs while a change settles. */
  #settling: NodeJS.Timeout | undefined;
  /** Runs while a watch is missing. */
  #looking: NodeJS.Timeout | undefined;
  #told: { readonly content: string | undefined } | undefined;
  #closed = false;

  constructor(path: string, changed: (content: string | undefined) => void) {
    this.#path = path;
    this.#changed = changed;
    this.#look();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#settling);
    clearTimeout(this.#looking);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  #look(): void {
    clearTimeout(this.#looking);
    const complete = this.#watchFolders();
    const content = readText(this.#path);
    if (this.#told === undefined || this.#told.content !== content) {
      this.#told = { content };
      this.#changed(content);
    }
    if (!complete && !this.#closed) this.#looking = setTimeout(() => this.#look(), LOOK_MS);
  }

  /** Answers whether every folder that is there is watched, and the path led there all the time. */
  #watchFolders(): boolean {
    const places = placesOf(this.#path);
    for (const [path, folder] of this.#folders) {
      if (places.has(path) && inodeOf(path) === folder.inode) continue;
      folder.watcher.close();
      this.#folders.delete(path);
    }
    let complete = true;
    let fresh = false;
    for (const [path, names] of places) {
      const known = this.#folders.get(path);
      if (known !== undefined) {
        known.names = names;
        continue;
      }
      const folder = this.#watchFolder(path, names);
      if (folder === undefined) complete = false;
      else this.#folders.set(path, folder);
      fresh ||= folder !== undefined;
    }
    // Something may have come into a folder between the walk and its watch: the last walk adds none.
    return fresh ? this.#watchFolders() && complete : complete;
  }

  #watchFolder(path: string, names: ReadonlySet<string>): Folder | undefined {
    const inode = inodeOf(path);
    if (inode === undefined) return undefined;
    try {
      const watcher = watch(path);
      const folder: Folder = { inode, watcher, names };
      watcher.on("change", (_, name) => {
        // Its own name: it was deleted or moved.
        const seen = String(name);
        if (name === null || folder.names.has(seen) || seen === basename(path)) this.#noticed();
      });
      watcher.on("error", () => {
        watcher.close();
        this.#folders.delete(path);
        this.#noticed();
      });
      return folder;
    } catch {
      return undefined;
    }
  }

  /** Changes that come soon after one another are one. */
  #noticed(): void {
    if (this.#closed) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#look();
    }, SETTLE_MS);
  }
}

/** Device and number; `undefined`: it is gone. */
function inodeOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
