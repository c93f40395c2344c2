import { KernelError } from "../../agent/ports/error.ts";
import type { ProbeOutcome } from "../../agent/ports/server-probes.ts";
import { wordsOf } from "../call/failure.ts";
import { certificateProblem } from "../network/certificate-problem.ts";
import { since } from "../network/milliseconds.ts";
import { TrustError } from "./tls/trust-store.ts";

/** What bytes go out on; its owner closes it. */
export interface Stream {
  /** Answers the errno of a refusal. */
  send(bytes: Uint8Array): string | undefined;
  close(): void;
}

/** What a stream tells; nothing any more after `failed`, and after it was closed. */
export interface StreamListener {
  /** What is waited for before it is connected. */
  waiting?(what: string): void;
  /** `warning`: what the outcome is to carry when all else is well. */
  connected(warning?: string): void;
  /** The bytes are overwritten when this returns. */
  received(bytes: Uint8Array): void;
  /** The other side sends nothing more. */
  ended(): void;
  /** An errno, a code of OpenSSL or Node, or words. */
  failed(code: string): void;
}

/** Begins to connect; answers the errno when nothing could be sent at all. */
export type OpenStream = (listener: StreamListener) => Stream | { readonly errno: string };

/** What a probe does while it talks with a server. The first word of success or failure counts. */
export interface Talk {
  /** What is waited for, after "timeout": `waiting for the banner`. */
  doing: string;
  send(bytes: Uint8Array): void;
  succeed(reason: string): void;
  fail(reason: string): void;
}

/** How a probe reacts. */
export interface Talker {
  connected(): void;
  received(bytes: Uint8Array): void;
  ended(): void;
  /** In place of words of the code: an error that means something to this probe. */
  failed?(code: string): void;
  /** In place of a failure: the time is over. */
  timedOut?(): void;
}

/** One conversation over one stream. The stream is closed when this settles. */
export function converse(
  open: OpenStream,
  signal: AbortSignal,
  react: (talk: Talk) => Talker,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => new Conversation(open, signal, react, resolve));
}

class Conversation implements Talk, StreamListener {
  doing = "connecting";
  readonly #begun = performance.now();
  readonly #signal: AbortSignal;
  readonly #resolve: (outcome: ProbeOutcome) => void;
  readonly #talker: Talker;
  readonly #stream: Stream | undefined;
  #settled = false;
  #warning: string | undefined;

  constructor(
    open: OpenStream,
    signal: AbortSignal,
    react: (talk: Talk) => Talker,
    resolve: (outcome: ProbeOutcome) => void,
  ) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#talker = react(this);
    if (signal.aborted) {
      this.fail(`timeout ${this.doing}`);
      return;
    }
    try {
      const stream = open(this);
      if ("errno" in stream) this.failed(stream.errno);
      else if (this.#settled) stream.close();
      else this.#stream = stream;
    } catch (error) {
      this.fail(inWords(error));
    }
    if (!this.#settled) signal.addEventListener("abort", this.#aborted);
  }

  send(bytes: Uint8Array): void {
    const errno = this.#stream?.send(bytes);
    if (errno !== undefined) this.failed(errno);
  }

  succeed(reason: string): void {
    this.#settle(true, reason);
  }

  fail(reason: string): void {
    this.#settle(false, reason);
  }

  waiting(what: string): void {
    this.doing = what;
  }

  connected(warning?: string): void {
    this.#warning = warning;
    this.#talker.connected();
  }

  received(bytes: Uint8Array): void {
    this.#talker.received(bytes);
  }

  ended(): void {
    this.#talker.ended();
  }

  failed(code: string): void {
    this.#talker.failed?.(code);
    this.fail(failureWords(code));
  }

  readonly #aborted = (): void => {
    this.#talker.timedOut?.();
    this.fail(`timeout ${this.doing}`);
  };

  #settle(ok: boolean, reason: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#signal.removeEventListener("abort", this.#aborted);
    this.#stream?.close();
    const outcome = { ok, reason, ms: since(this.#begun) };
    const warning = ok ? this.#warning : undefined;
    this.#resolve(warning === undefined ? outcome : { ...outcome, warning });
  }
}

/** What the kernel, OpenSSL or Node says, in words. */
export function failureWords(code: string): string {
  const problem = certificateProblem(code);
  if (problem !== undefined) return `certificate: ${problem}`;
  if (/^(?:ERR_SSL_|ERR_TLS_|ERR_OSSL|EPROTO$)/.test(code)) {
    return "the other side does not speak TLS, or refuses ours";
  }
  if (code.startsWith("ERR_HTTP2_")) return "the answer is no proper HTTP/2";
  return wordsOf(code);
}

/** Of an error that was thrown: an operating error of this host, or a code. */
export function inWords(error: unknown): string {
  if (error instanceof TrustError) return error.message;
  if (error instanceof KernelError) return `${error.message}; ${error.remedy}`;
  return failureWords(codeOfError(error));
}

export function codeOfError(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : "the connection broke";
}
