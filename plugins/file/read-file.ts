import { constants } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, readlink } from "node:fs/promises";
import { CallError } from "../../sdk/plugin.ts";

const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = constants;

/**
 * Reads a regular file, at most one byte more than `limit`. `real` has no links; what was put in its
 * place since it was resolved is refused, and so is what is no file.
 */
export async function readFile(real: string, limit: number): Promise<Buffer> {
  const file = await open(real, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  try {
    if (!(await file.stat()).isFile()) throw new CallError("EINVAL", "it is no regular file");
    if ((await readlink(`/proc/self/fd/${file.fd}`)) !== real) {
      throw new CallError("EAGAIN", "it was replaced while it was opened; try again");
    }
    return await bytesOf(file, limit + 1);
  } finally {
    await file.close();
  }
}

async function bytesOf(file: FileHandle, most: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(most);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, most - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length === most) return buffer.subarray(0, length);
  }
}
