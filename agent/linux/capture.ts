import type { Readable } from "node:stream";

/** The first bytes of a stream. The rest is read too, so that the writer is not held up. */
export class Capture {
  readonly #stream: Readable | null;
  readonly #chunks: Buffer[] = [];
  #room: number;

  constructor(stream: Readable | null, limit: number) {
    this.#stream = stream;
    this.#room = limit;
    stream?.on("data", (chunk: Buffer) => {
      if (this.#room === 0) return;
      const kept = chunk.subarray(0, this.#room);
      this.#chunks.push(kept);
      this.#room -= kept.length;
    });
    // A pipe that breaks has said all that it had to say.
    stream?.on("error", () => undefined);
  }

  /** UTF-8; what is none becomes U+FFFD. */
  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }

  close(): void {
    this.#stream?.destroy();
  }
}
