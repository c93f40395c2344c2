import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  writeSync,
} from "node:fs";
import type { FifoWriter, OpenFifo } from "../../agent/ports/channels.ts";

/** What the kernel takes whole or not at all: PIPE_BUF. */
const LONGEST_LINE = 4_096;

/**
 * Held for reading too, as keepalived does: so it can be opened before its reader is there, lines wait
 * in it for one that comes back, and nobody is killed by SIGPIPE.
 */
const FLAGS = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW;

export const openFifo: OpenFifo = ({ path, owner }): FifoWriter => {
  const made = make(path);
  const fd = openSync(path, FLAGS);
  try {
    if (!fstatSync(fd).isFIFO()) throw new Error(`${path} is no FIFO`);
    if (made && owner !== undefined) fchownSync(fd, owner.uid, owner.gid);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return new Fifo(fd);
};

class Fifo implements FifoWriter {
  readonly #fd: number;
  #closed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: string): boolean {
    if (this.#closed) return false;
    const bytes = Buffer.from(`${line}\n`);
    if (bytes.length > LONGEST_LINE) throw new Error(`a line of ${bytes.length} bytes is too long`);
    try {
      writeSync(this.#fd, bytes);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EAGAIN") return false;
      throw error;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}

/** Answers whether it had to be made. Throws an Error when something else is there. */
function make(path: string): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.isFIFO()) return false;
  if (there !== undefined)
    throw new Error(`${path} is there and is no FIFO: remove it, or name another`);
  try {
    // Node has no mkfifo; of coreutils it is on every Debian and in every container of one.
    execFileSync("mkfifo", ["-m", "0600", "--", path], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Error(said === "" ? `${path}: mkfifo could not be run` : said, { cause: error });
  }
  return true;
}
