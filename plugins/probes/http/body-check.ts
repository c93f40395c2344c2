import type { Hash } from "node:crypto";
import { createHash } from "node:crypto";
import type { HttpUrl } from "./http-request.ts";
import { jsonProblem } from "./json-match.ts";
import { TimedRegex } from "./timed-regex.ts";

/** Of a body that is looked into: patterns are the operator's, texts the server's. */
const MOST_TEXT = 65_536;
/** Of a body of which the digest is wanted. */
const MOST_HASHED = 1_048_576;

/** MD5, 32 hexadecimal digits each. */
export interface Digests {
  readonly body: string;
  /** Of the body with the framing of its chunks: what keepalived takes for the body. */
  readonly framed: string | undefined;
}

/** What is asked of the body of one URL. It may be put to any number of bodies, one after another. */
export class BodyCheck {
  readonly #url: HttpUrl;
  readonly #regex: TimedRegex | undefined;

  /** Throws a SyntaxError for a pattern that JavaScript does not know. */
  constructor(url: HttpUrl) {
    this.#url = url;
    if (url.regex !== undefined) this.#regex = new TimedRegex(url.regex.pattern, url.regex.flags);
  }

  begin(): BodyReading {
    return new BodyReading(this.#url, this.#regex);
  }
}

/** A body as it comes. At most 1 MiB of it is read, and 64 KiB are kept. */
export class BodyReading {
  readonly #url: HttpUrl;
  readonly #regex: TimedRegex | undefined;
  readonly #hash: Hash | undefined;
  #framedHash: Hash | undefined;
  readonly #parts: Buffer[] | undefined;
  readonly #most: number;
  #length = 0;
  #digests: Digests | undefined;

  constructor(url: HttpUrl, regex: TimedRegex | undefined) {
    this.#url = url;
    this.#regex = regex;
    const { digest, json } = url;
    this.#hash = digest === undefined ? undefined : createHash("md5");
    this.#parts = regex === undefined && json === undefined ? undefined : [];
    this.#most = digest === undefined ? MOST_TEXT : MOST_HASHED;
  }

  /** Whether more may come: what lies beyond plays no part. */
  take(bytes: Uint8Array): boolean {
    const room = this.#most - this.#length;
    const taken = bytes.subarray(0, room);
    this.#hash?.update(taken);
    if (this.#length < MOST_TEXT) {
      this.#parts?.push(Buffer.from(taken.subarray(0, MOST_TEXT - this.#length)));
    }
    // One more than fits tells that it is too long.
    this.#length += Math.min(bytes.length, room + 1);
    return this.#length <= this.#most;
  }

  /** The same with what frames it; `take` gets what is inside. */
  takeFramed(bytes: Uint8Array): void {
    if (this.#hash === undefined) return;
    this.#framedHash ??= createHash("md5");
    this.#framedHash.update(bytes);
  }

  /** How much of it was read, in bytes. */
  get length(): number {
    return this.#length;
  }

  /** Now that it is complete; `undefined`: nobody wants them, or it is longer than 1 MiB. */
  get digests(): Digests | undefined {
    if (this.#hash === undefined || this.#length > this.#most) return undefined;
    this.#digests ??= {
      body: this.#hash.digest("hex"),
      framed: this.#framedHash?.digest("hex"),
    };
    return this.#digests;
  }

  /** What speaks against it, now that it is complete; `undefined`: it is as it should be. */
  problem(): string | undefined {
    return this.#digestProblem() ?? this.#textProblem();
  }

  #digestProblem(): string | undefined {
    const { digest } = this.#url;
    if (digest === undefined) return undefined;
    const { digests } = this;
    if (digests === undefined) return "the body is longer than 1 MiB: no digest";
    const wanted = digest.toLowerCase();
    if (digests.body === wanted || digests.framed === wanted) return undefined;
    return `the digest is ${digests.body}`;
  }

  #textProblem(): string | undefined {
    if (this.#parts === undefined) return undefined;
    const [first = Buffer.alloc(0)] = this.#parts;
    const text = this.#parts.length > 1 ? Buffer.concat(this.#parts) : first;
    return this.#regexProblem(text) ?? jsonProblem(this.#url.json, text, this.#length > MOST_TEXT);
  }

  #regexProblem(text: Buffer): string | undefined {
    const { regex } = this.#url;
    if (regex === undefined || this.#regex === undefined) return undefined;
    const at = this.#regex.search(text, regex.minOffset, performance.now());
    if (at === "too-slow") return "the regex takes too long on this body";
    const found = at !== undefined && at <= (regex.maxOffset ?? Number.POSITIVE_INFINITY);
    if (found !== regex.negated) return undefined;
    return regex.negated ? "the regex matches" : "the regex does not match";
  }
}
