import { lstatSync, readlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** As in the kernel: ELOOP beyond it. */
const MOST_LINKS = 40;

/**
 * The names that lead from the root to a file, by the folder in which each is looked up, with those
 * behind symbolic links: where none of these names changes its meaning, the path leads to the same
 * file. It ends at the first one that is not there.
 */
export function placesOf(path: string): ReadonlyMap<string, ReadonlySet<string>> {
  const places = new Map<string, Set<string>>();
  const ahead = path.split("/");
  let folder = "/";
  let links = 0;
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      folder = dirname(folder);
      continue;
    }
    places.set(folder, (places.get(folder) ?? new Set()).add(name));
    const next = join(folder, name);
    const target = linkTarget(next);
    if (target === undefined || (target !== "" && ++links > MOST_LINKS)) return places;
    if (target === "") folder = next;
    else ahead.unshift(...target.split("/"));
    if (target.startsWith("/")) folder = "/";
  }
  return places;
}

/** Empty for what is no link; `undefined` for what is not there. */
function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : "";
  } catch {
    return undefined;
  }
}
