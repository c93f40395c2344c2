/** What one chunk of a stream brought: whole lines, or the verdict that a line is too long. */
export type Lines = readonly string[] | "too-long";

/**
 * Cuts a byte stream into lines of UTF-8 without ever holding more than `limit` bytes of an unfinished
 * one. `undefined` as limit: no bound, for a client that trusts its server.
 */
export class LineSplitter {
  readonly #limit: number | undefined;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(limit: number | undefined) {
    this.#limit = limit;
  }

  push(chunk: Buffer): Lines {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, start);
      if (end < 0) break;
      if (!this.#take(chunk.subarray(start, end))) return "too-long";
      lines.push(Buffer.concat(this.#parts).toString("utf8"));
      this.#parts = [];
      this.#length = 0;
      start = end + 1;
    }
    return this.#take(chunk.subarray(start)) ? lines : "too-long";
  }

  #take(part: Buffer): boolean {
    if (part.length === 0) return true;
    this.#length += part.length;
    if (this.#limit !== undefined && this.#length > this.#limit) return false;
    this.#parts.push(part);
    return true;
  }
}
