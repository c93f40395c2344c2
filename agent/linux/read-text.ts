import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

/** What of a file a policy or a tracker is shown, in bytes. */
export const TEXT_LIMIT = 65_536;

/**
 * The first 64 KiB of a regular file as UTF-8; `undefined`: it is not there, is something else, or
 * cannot be read. Never waits for a writer of a FIFO.
 */
export function readText(path: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (!fstatSync(fd).isFile()) return undefined;
    const buffer = Buffer.allocUnsafe(TEXT_LIMIT);
    let length = 0;
    // Files of /proc come in pieces, and show no size beforehand.
    while (length < TEXT_LIMIT) {
      const read = readSync(fd, buffer, length, TEXT_LIMIT - length, null);
      if (read === 0) break;
      length += read;
    }
    return buffer.toString("utf8", 0, length);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
