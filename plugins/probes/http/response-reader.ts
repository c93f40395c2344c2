import type { BodyReading } from "./body-check.ts";
import { ChunkedDecoder } from "./chunked-decoder.ts";

/** Status line and headers. */
const MOST_HEAD = 16_384;
const MOST_INTERIM = 16;
const NOTHING = Buffer.alloc(0);

export type Progress = "more" | "done" | { readonly broken: string };

/**
 * Reads an answer of HTTP/1 as it comes: what a check needs of it, and no more. The body ends as the
 * headers say (RFC 9112 §6.3), or with the connection.
 */
export class ResponseReader {
  readonly #body: BodyReading;
  /** Of the answer; `undefined` until the headers are complete. */
  status: number | undefined;
  #head = NOTHING;
  #interim = 0;
  #left: number | undefined;
  #announced: number | undefined;
  #chunks: ChunkedDecoder | undefined;

  constructor(body: BodyReading) {
    this.#body = body;
  }

  /** The bytes may be overwritten afterwards. */
  push(bytes: Uint8Array): Progress {
    if (this.status !== undefined) return this.#pushBody(bytes);
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const before = this.#head.length;
    const head =
      before === 0 ? chunk : Buffer.concat([this.#head, chunk.subarray(0, MOST_HEAD - before)]);
    const end = head.indexOf("\r\n\r\n", Math.max(0, before - 3));
    if ((end < 0 ? head.length : end) >= MOST_HEAD) return TOO_LONG;
    this.#head = end < 0 ? Buffer.from(head) : NOTHING;
    if (end < 0) return "more";
    const problem = this.#readHead(head.toString("latin1", 0, end + 2));
    if (problem !== undefined) return { broken: problem };
    const rest = chunk.subarray(end + 4 - before);
    if (this.#left === 0) return "done";
    return rest.length > 0 ? this.push(rest) : "more";
  }

  /** The connection has ended: a warning for a body that is not as announced, or what is wrong. */
  end(): { readonly warning: string | undefined } | { readonly broken: string } {
    if (this.status === undefined) {
      const begun = this.#head.length > 0 || this.#interim > 0;
      return { broken: begun ? "closed within the headers" : "closed without an answer" };
    }
    const { status } = this;
    if (this.#chunks !== undefined)
      return { warning: `HTTP ${status}, but the last chunk is missing` };
    if (this.#left === undefined || this.#announced === undefined) return { warning: undefined };
    const got = this.#announced - this.#left;
    return { warning: `HTTP ${status}, but ${got} bytes instead of ${this.#announced}` };
  }

  /** What is wrong with it. */
  #readHead(head: string): string | undefined {
    const digits = /^[!-~]{1,16} +(\d{3})(?: |\r)/.exec(head)?.[1];
    if (digits === undefined) return "the answer is no HTTP";
    const status = Number(digits);
    // Interim answers come before the one that counts. RFC 9110 §15.2.
    if (status >= 100 && status < 200 && status !== 101) {
      this.#interim += 1;
      return this.#interim > MOST_INTERIM ? "interim answers without end" : undefined;
    }
    this.status = status;
    if (status === 204 || status === 304) this.#left = 0;
    else if (/\r\ntransfer-encoding:[^\r]*\bchunked[ \t]*\r/i.test(head)) {
      this.#chunks = new ChunkedDecoder((bytes) => this.#body.take(bytes));
    } else {
      const length = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r/i.exec(head)?.[1];
      if (length !== undefined) this.#announced = Number(length);
      this.#left = this.#announced;
    }
    return undefined;
  }

  #pushBody(bytes: Uint8Array): Progress {
    if (this.#chunks !== undefined) {
      this.#body.takeFramed(bytes);
      const state = this.#chunks.push(bytes);
      return state === "broken" ? { broken: "the chunks of the body are no proper HTTP" } : state;
    }
    const part = this.#left === undefined ? bytes : bytes.subarray(0, this.#left);
    if (this.#left !== undefined) this.#left -= part.length;
    return this.#body.take(part) && this.#left !== 0 ? "more" : "done";
  }
}

const TOO_LONG: Progress = { broken: `the headers are longer than ${MOST_HEAD / 1_024} KiB` };
