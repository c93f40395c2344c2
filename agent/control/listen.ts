import { chmodSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import type { Server } from "node:net";
import { connect } from "node:net";
import { dirname } from "node:path";
import { KernelError } from "../ports/error.ts";

/** The longest path that a sockaddr_un holds, its end included. */
const LONGEST_PATH = 107;

/**
 * Binds a server to a unix socket that only its owner may open (0600), in a directory that is made if
 * need be (0755). A socket that a dead agent left is replaced; one that answers, or a file of another
 * kind, is not. Throws a KernelError.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new KernelError(
      "control-socket-path",
      `the path of the control socket is longer than ${LONGEST_PATH} bytes: ${path}`,
      "Give a shorter one with --control.",
    );
  }
  try {
    makeDirectory(dirname(path));
    await removeStale(path);
    await bind(server, path);
    chmodSync(path, 0o600);
  } catch (error) {
    if (error instanceof KernelError) throw error;
    throw new KernelError(
      "control-socket",
      `the control socket ${path} cannot be made: ${reasonOf(error)}`,
      "Run as root, or name a path that this user may write with --control.",
    );
  }
}

/** Only the last part: Node's recursive mkdir never returns where a file system refuses with ENOENT. */
function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o755 });
  } catch (error) {
    if (reasonOf(error) !== "EEXIST") throw error;
  }
}

/** The umask covers the moment between bind and chmod. Node binds within `listen`. */
function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const umask = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off("error", reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new KernelError(
      "control-socket-path",
      `${path} is there and is not a socket`,
      "Move it away, or name another path with --control.",
    );
  }
  if (await answers(path)) {
    throw new KernelError(
      "control-socket-in-use",
      `another agent answers at ${path}`,
      "Stop it first. One beside it needs its own --control, --state and net_namespace.",
    );
  }
  unlinkSync(path);
}

/** Whether somebody accepts connections there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

const reasonOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error);
