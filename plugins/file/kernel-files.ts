import { closeSync, openSync, readSync } from "node:fs";

const MOST_OPEN = 64;

/**
 * Files of /proc and /sys, which are read without waiting: their descriptors stay open, and reading
 * from the start makes the kernel write them anew. Ten times as fast as asynchronous reading.
 */
export class KernelFiles {
  readonly #buffer: Buffer;
  /** In the order of use. */
  readonly #open = new Map<string, number>();

  /** `limit`: bytes; one more shows that there are more. */
  constructor(limit: number) {
    this.#buffer = Buffer.allocUnsafe(limit + 1);
  }

  /** Its bytes, good until the next read. Throws what the kernel says. */
  read(path: string): Buffer {
    const known = this.#open.get(path);
    if (known !== undefined) {
      try {
        return this.#readFrom(known);
      } catch {
        // The process, or the device, was another one.
        this.#forget(path);
      }
    }
    const fd = openSync(path, "r");
    this.#open.set(path, fd);
    const oldest = this.#open.keys().next().value;
    if (this.#open.size > MOST_OPEN && oldest !== undefined) this.#forget(oldest);
    try {
      return this.#readFrom(fd);
    } catch (error) {
      this.#forget(path);
      throw error;
    }
  }

  close(): void {
    for (const path of [...this.#open.keys()]) this.#forget(path);
  }

  #readFrom(fd: number): Buffer {
    let length = 0;
    // They come in pieces of a page or so.
    for (;;) {
      const read = readSync(fd, this.#buffer, length, this.#buffer.length - length, length);
      length += read;
      if (read === 0 || length === this.#buffer.length) return this.#buffer.subarray(0, length);
    }
  }

  #forget(path: string): void {
    const fd = this.#open.get(path);
    this.#open.delete(path);
    if (fd !== undefined) closeSync(fd);
  }
}
