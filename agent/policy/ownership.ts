import type { Stats } from "node:fs";
import { lstatSync, readlinkSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";

/** Whose files may decide what the agent does. */
export interface Trust {
  /** Users who may own a policy, the files that it imports and the folders above them. */
  readonly uids: ReadonlySet<number>;
  /** Folders above this one are not looked at: `/`, but for tests. Without symbolic links. */
  readonly top: string;
}

/** root and the agent itself, all the way up. */
export const agentTrust = (): Trust => ({
  uids: new Set([0, process.geteuid?.() ?? 0]),
  top: "/",
});

/** Why a file or folder is not trusted, and the command that mends it. */
export interface OwnershipFault {
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** S_IWGRP | S_IWOTH. A sticky bit changes nothing: who may add a file may add a policy. */
const OTHERS_WRITE = 0o022;
const MOST_LINKS = 40;

export function ownershipFault(
  path: string,
  stats: Stats,
  trust: Trust,
): OwnershipFault | undefined {
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, "0");
  if (!trust.uids.has(stats.uid)) {
    return {
      path,
      message: `${path} belongs to user ${stats.uid} (mode ${mode}), who could change what the agent does`,
      hint: `chown root:root ${path}`,
    };
  }
  if ((stats.mode & OTHERS_WRITE) === 0) return undefined;
  const who = (stats.mode & 0o002) === 0 ? "its group" : "everybody";
  return {
    path,
    message: `${path} has mode ${mode}: ${who} may write to it`,
    hint:
      stats.isDirectory() && (stats.mode & 0o1000) !== 0
        ? "keep policies in a folder that only root can write to, such as /etc/holdfast/policies"
        : `chmod go-w ${path}`,
  };
}

/** Where a path leads, and the first folder on the way that is not trusted. */
export interface Resolved {
  /** Absolute, without symbolic links. */
  readonly path: string;
  readonly fault: OwnershipFault | undefined;
}

/**
 * Follows a path link by link, as the kernel does, and looks at every folder that decides where it
 * leads. Throws the error of `lstat` for a path that leads nowhere.
 */
export function resolveTrusted(path: string, trust: Trust | undefined): Resolved {
  let links = 0;
  let at = "/";
  let fault = folderFault(at, trust);
  const ahead = partsOf(resolve(path));
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    const next = join(at, name);
    const stats = lstatSync(next);
    if (stats.isSymbolicLink()) {
      links += 1;
      if (links > MOST_LINKS) throw new RangeError(`${path} leads through too many links`);
      const target = readlinkSync(next);
      ahead.unshift(...partsOf(target));
      if (isAbsolute(target)) at = "/";
    } else {
      // `at` has no links in it, so that `..` is what the kernel takes it for.
      at = next;
      if (stats.isDirectory()) fault ??= folderFault(at, trust);
    }
  }
  return { path: at, fault };
}

const partsOf = (path: string): string[] =>
  path.split("/").filter((part) => part !== "" && part !== ".");

const folderFault = (folder: string, trust: Trust | undefined): OwnershipFault | undefined =>
  trust !== undefined && isWithin(trust.top, folder)
    ? ownershipFault(folder, statSync(folder), trust)
    : undefined;

/** Whether `path` is `folder` or lies in it. Both absolute and without links. */
export const isWithin = (folder: string, path: string): boolean =>
  folder === "/" || path === folder || path.startsWith(`${folder}/`);
