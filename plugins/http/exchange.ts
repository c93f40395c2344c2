import type { Dispatcher, Pool } from "undici";
import type { ActiveCall } from "../call/calls.ts";
import { MOST_BODY_BYTES, textWithin } from "./body-text.ts";

export interface ExchangeRequest {
  readonly method: "GET" | "HEAD" | "POST";
  /** With the query. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** There was more than is told: the rest was not read, and the connection is closed. */
  readonly truncated: boolean;
}

/** One request and its answer, on a connection of the pool. Rejects with undici's errors. */
export function exchange(
  pool: Pool,
  request: ExchangeRequest,
  call: ActiveCall,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const reader = new AnswerReader(resolve, reject);
    call.onEnd(() => reader.giveUp());
    pool.dispatch(request, reader);
  });
}

const ENOUGH = new Error("enough was read");
const GIVEN_UP = new Error("the call is over");

type Headers = Record<string, string | string[] | undefined>;

/** undici's way of telling, without the streams that its `request` makes. */
class AnswerReader implements Dispatcher.DispatchHandler {
  readonly #resolve: (received: Received) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #status = 0;
  #headers: Headers = {};
  #controller: Dispatcher.DispatchController | undefined;
  #over = false;

  constructor(resolve: (received: Received) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Closes the connection if the answer is not complete. */
  giveUp(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(GIVEN_UP);
    this.#reject(GIVEN_UP);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection, and its time went by.
    if (this.#over) controller.abort(GIVEN_UP);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length <= MOST_BODY_BYTES) return;
    this.#finish();
    controller.abort(ENOUGH);
  }

  onResponseEnd(): void {
    this.#finish();
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#reject(error);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    const { text, truncated } = textWithin(this.#chunks);
    this.#resolve({ status: this.#status, headers: joined(this.#headers), text, truncated });
  }
}

/** Repeated headers in one line each. RFC 9110 §5.3. */
function joined(headers: Headers): Readonly<Record<string, string>> {
  const lines = Object.entries(headers).map(([name, value = ""]) => [
    name,
    typeof value === "string" ? value : value.join(", "),
  ]);
  return Object.fromEntries(lines) as Record<string, string>;
}
