import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../config/config.ts";

const VERSION = 2;

interface Accepted {
  readonly version: typeof VERSION;
  readonly file: string;
  readonly config: Config;
}

/**
 * The last accepted configuration, on disk while the agent runs. It is there at a start only if the
 * last run did not end gracefully: then a file that was broken meanwhile must not keep the node down.
 */
export class StateStore {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, "accepted.json");
  }

  /** Answers why it could not be written, or `undefined`. It holds passwords: only root reads it. */
  save(file: string, config: Config): string | undefined {
    const accepted: Accepted = { version: VERSION, file, config };
    return attempt(() => {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      const fresh = `${this.#path}.new`;
      // Made anew, never through a link that somebody laid there.
      rmSync(fresh, { force: true });
      withFile(fresh, "wx", (fd) => {
        writeFileSync(fd, JSON.stringify(accepted));
        fsyncSync(fd);
      });
      renameSync(fresh, this.#path);
    });
  }

  /**
   * What an earlier run of the same file accepted and did not put away. What others may have written
   * counts for nothing.
   */
  load(file: string): Config | undefined {
    try {
      const accepted = JSON.parse(withFile(this.#path, NO_LINK, readOwn)) as Partial<Accepted>;
      return accepted.version === VERSION && accepted.file === file ? accepted.config : undefined;
    } catch {
      return undefined;
    }
  }

  /** The run ends gracefully. */
  clear(): void {
    attempt(() => rmSync(this.#path, { force: true }));
  }
}

/** Writes a pid file; answers why it could not be written, or `undefined`. */
export function writePidFile(path: string, pid: number): string | undefined {
  return attempt(() => {
    mkdirSync(dirname(path), { recursive: true });
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | NO_LINK;
    withFile(path, flags, (fd) => writeFileSync(fd, `${pid}\n`), 0o644);
  });
}

export function removePidFile(path: string): void {
  attempt(() => rmSync(path, { force: true }));
}

const NO_LINK = constants.O_NOFOLLOW;

function withFile<Result>(
  path: string,
  flags: string | number,
  work: (fd: number) => Result,
  mode = 0o600,
): Result {
  const fd = openSync(path, flags, mode);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

function readOwn(fd: number): string {
  const { uid, mode } = fstatSync(fd);
  if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) throw new TypeError("not ours alone");
  return readFileSync(fd, "utf8");
}

function attempt(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
