/** Of the line of a chunk's length, extensions included. */
const LONGEST_LINE = 256;

const CR = 13;
const LF = 10;

/** RFC 9112 §7.1, as it comes. Trailers are passed over. */
export class ChunkedDecoder {
  readonly #take: (bytes: Uint8Array) => boolean;
  #state: "length" | "data" | "after-data" | "trailer" = "length";
  #line = "";
  #left = 0;

  /** `take` answers whether more is wanted. */
  constructor(take: (bytes: Uint8Array) => boolean) {
    this.#take = take;
  }

  push(bytes: Uint8Array): "more" | "done" | "broken" {
    for (let at = 0; at < bytes.length; ) {
      if (this.#state === "data") {
        const part = bytes.subarray(at, at + this.#left);
        at += part.length;
        if (!this.#data(part)) return "done";
      } else {
        const state = this.#character(bytes[at] ?? 0);
        at += 1;
        if (state !== "more") return state;
      }
    }
    return "more";
  }

  #data(part: Uint8Array): boolean {
    this.#left -= part.length;
    if (this.#left === 0) this.#state = "after-data";
    return this.#take(part);
  }

  #character(byte: number): "more" | "done" | "broken" {
    if (byte === LF) return this.#endOfLine();
    if (byte !== CR) this.#line += String.fromCharCode(byte);
    return this.#line.length > LONGEST_LINE ? "broken" : "more";
  }

  #endOfLine(): "more" | "done" | "broken" {
    const line = this.#line;
    this.#line = "";
    if (this.#state === "trailer") return line === "" ? "done" : "more";
    if (this.#state === "after-data") {
      this.#state = "length";
      return line === "" ? "more" : "broken";
    }
    const digits = /^([0-9a-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line)?.[1];
    if (digits === undefined) return "broken";
    this.#left = Number.parseInt(digits, 16);
    this.#state = this.#left === 0 ? "trailer" : "data";
    return "more";
  }
}
