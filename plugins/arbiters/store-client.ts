import { Agent, request } from "undici";
import type { StoreFailure } from "./answer.ts";
import { refused, unreachable } from "./answer.ts";
import type { ArbiterTls } from "./settings.ts";
import { storeFailure } from "./store-failure.ts";

const LARGEST_ANSWER = 1 << 20;
const CONNECT_TIMEOUT_MS = 5_000;
const PATIENCE_MS = 300;

export interface StoreRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface StoreResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed JSON; `undefined` where there was none. */
  readonly json: unknown;
}

interface Options {
  readonly endpoints: readonly [string, ...string[]];
  readonly tls?: ArbiterTls | undefined;
  readonly patience?: number | undefined;
}

/** Requests in JSON to whichever endpoint of a store answers. */
export class StoreClient {
  readonly #endpoints: readonly [string, ...string[]];
  readonly #agent: Agent;
  readonly #tls: ArbiterTls;
  readonly #patienceMs: number;
  /** Where the last answer came from. */
  #preferred = 0;

  constructor({ endpoints, tls = {}, patience }: Options) {
    this.#endpoints = endpoints;
    this.#tls = tls;
    this.#patienceMs = patience === undefined ? PATIENCE_MS : patience / 1_000;
    const { ca, cert, key, serverName } = tls;
    this.#agent = new Agent({
      connections: 8,
      // The signal's time governs.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 16_384,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        ...(serverName !== undefined && { servername: serverName }),
      },
    });
  }

  /**
   * Asks the endpoints in turn, each once. An endpoint that answers that it cannot serve now (5xx) is
   * left for the next one too. Rejects with a StoreFailure.
   */
  async ask(asked: StoreRequest, signal: AbortSignal): Promise<StoreResponse> {
    let failure: StoreFailure | undefined;
    const count = this.#endpoints.length;
    const first = this.#preferred;
    for (let turn = 0; turn < count; turn++) {
      const at = (first + turn) % count;
      const response = await this.#askAt(at, asked, signal, turn + 1 < count);
      if (!(response instanceof Error)) {
        this.#preferred = at;
        return response;
      }
      // A refusal is more than silence.
      if (failure?.answer.kind !== "refused") failure = response;
      if (signal.aborted) break;
    }
    throw failure ?? unreachable("no answer in time");
  }

  /** The lines of an answer that does not end, until the signal. */
  async *lines(asked: StoreRequest, signal: AbortSignal): AsyncGenerator<string> {
    const { body, statusCode } = await this.#send(this.#preferred, asked, signal);
    body.setEncoding("utf8");
    let text = "";
    for await (const chunk of body) {
      text += String(chunk);
      if (text.length > LARGEST_ANSWER) throw unreachable("an answer without end");
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      if (statusCode === 200) yield* lines;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #askAt(
    at: number,
    asked: StoreRequest,
    signal: AbortSignal,
    hasNext: boolean,
  ): Promise<StoreResponse | StoreFailure> {
    const cut = hasNext ? AbortSignal.timeout(this.#patienceMs) : undefined;
    const both = cut === undefined ? signal : AbortSignal.any([signal, cut]);
    try {
      const { statusCode, headers, body } = await this.#send(at, asked, both);
      const json = parsed(await textOf(body));
      if (statusCode >= 500 && hasNext) return unreachable(`it cannot serve now (${statusCode})`);
      return { status: statusCode, headers, json };
    } catch (error) {
      if (both.aborted) return unreachable("no answer in time");
      return await storeFailure(error, this.#endpoints[at] ?? "", this.#tls, both);
    }
  }

  #send(at: number, { method, path, headers, body }: StoreRequest, signal: AbortSignal) {
    return request(`${this.#endpoints[at]}${path}`, {
      dispatcher: this.#agent,
      method,
      signal,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > LARGEST_ANSWER) {
      throw refused("it answers with more than a mebibyte", "check that this is the store");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
