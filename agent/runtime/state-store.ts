import { closeSync, constants, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../config/config.ts";
import { readOwnFile, replaceOwnFile } from "./own-file.ts";

interface Accepted {
  /** Of the build that wrote it: another one may mean something else by the same words. */
  readonly version: string;
  readonly file: string;
  readonly config: Config;
}

const FILE = "accepted.json";

/**
 * The last accepted configuration, on disk while the agent runs. It is there at a start only if the
 * last run did not end gracefully: then a file that was broken meanwhile must not keep the node down.
 */
export class StateStore {
  readonly #path: string;
  readonly #version: string;

  constructor(directory: string, version: string) {
    this.#path = join(directory, FILE);
    this.#version = version;
  }

  /** Answers why it could not be written, or `undefined`. It holds passwords: only root reads it. */
  save(file: string, config: Config): string | undefined {
    const accepted: Accepted = { version: this.#version, file, config };
    return attempt(() => replaceOwnFile(this.#path, JSON.stringify(accepted)));
  }

  /**
   * What an earlier run of this build accepted of the same file and did not put away. What others may
   * have written counts for nothing.
   */
  load(file: string): Config | undefined {
    try {
      const accepted = JSON.parse(readOwnFile(this.#path)) as Partial<Accepted>;
      const fits = accepted.version === this.#version && accepted.file === file;
      return fits ? accepted.config : undefined;
    } catch {
      return undefined;
    }
  }

  /** The run ends gracefully. */
  clear(): void {
    attempt(() => rmSync(this.#path, { force: true }));
  }
}

/**
 * The network namespace in which a run of any build left what it held, that did not end gracefully;
 * `undefined`: none is known.
 */
export function namespaceLeftBy(directory: string): string | undefined {
  try {
    const { config } = JSON.parse(readOwnFile(join(directory, FILE))) as Partial<Accepted>;
    const name: unknown = config?.global.netNamespace;
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a pid file; answers why it could not be written, or `undefined`. */
export function writePidFile(path: string, pid: number): string | undefined {
  return attempt(() => {
    mkdirSync(dirname(path), { recursive: true });
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
    const fd = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
    try {
      writeFileSync(fd, `${pid}\n`);
    } finally {
      closeSync(fd);
    }
  });
}

export function removePidFile(path: string): void {
  attempt(() => rmSync(path, { force: true }));
}

function attempt(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
