import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";

/**
 * Reads a file of the agent's own. Throws where there is none, where it is a link, and where others
 * may have written it.
 */
export function readOwnFile(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { uid, mode } = fstatSync(fd);
    if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) throw new TypeError("not ours alone");
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/** Puts a text in the place of a file, on the disk when this returns; only its owner may read it. */
export function replaceOwnFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.new`;
  // Made anew, never through a link that somebody laid there.
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { flag: "wx", mode: 0o600, flush: true });
  renameSync(fresh, path);
}
