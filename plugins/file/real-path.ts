import { lstatSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import type { PathPattern } from "./path-pattern.ts";
import { moved, pathMatches } from "./path-pattern.ts";

/**
 * Where a path leads to once every symbolic link was followed; `undefined`: nowhere. What is not
 * there itself is looked for in its folder.
 */
export function realPath(path: string): string | undefined {
  return resolved(path) ?? inFolder(path);
}

/**
 * Whether patterns permit what lies at `real`, a path without links. Links cannot lead out of a
 * pattern; its own folder may lie behind links that root laid, as /var/run does.
 */
export function isPermitted(patterns: readonly PathPattern[], real: string): boolean {
  return patterns.some((pattern) => {
    if (pathMatches(pattern, real)) return true;
    const folder = trusted(pattern.folder) ? resolved(pattern.folder) : undefined;
    return (
      folder !== undefined && folder !== pattern.folder && pathMatches(moved(pattern, folder), real)
    );
  });
}

function resolved(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function inFolder(path: string): string | undefined {
  const folder = resolved(dirname(path));
  return folder === undefined ? undefined : join(folder, path.slice(path.lastIndexOf(sep) + 1));
}

/** Whether every link on the way belongs to root. */
function trusted(folder: string): boolean {
  for (let path = folder; path !== "/"; path = dirname(path)) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || (stat.isSymbolicLink() && stat.uid !== 0)) return false;
  }
  return true;
}
