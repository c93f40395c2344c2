import type { Json } from "../../sdk/index.ts";
import type { OpenPlugin, PluginCall } from "../../sdk/plugin.ts";
import { CallError } from "../../sdk/plugin.ts";
import { failureOf } from "./failure.ts";

/** What a call may take when it says nothing else, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 5_000;

/** A call under way, as the code that carries it out sees it. */
export interface ActiveCall {
  readonly policy: string;
  readonly permission: Json;
  /** What is being done, for the message of a failure: `connecting to 10.0.0.1:80`. */
  doing: string;
  /** Shortens the time that the call may take. To be called before the first `await`. */
  within(ms: number | undefined): void;
  /** Milliseconds that it may take in all. */
  readonly timeoutMs: number;
  /** Runs when the call has settled, however it did, at once if it has already. Must not throw. */
  onEnd(release: () => void): void;
  /** It has settled: what comes now counts for nothing. */
  readonly ended: boolean;
}

/** Carries out one method. Arguments are unchecked; everything it throws becomes a CallError. */
export type Method = (args: readonly Json[], call: ActiveCall) => Promise<Json>;

/**
 * The part of an open plugin that all of them share: unknown methods, the end of the time, calls that
 * are given up, the plugin's end, and errors that are no CallError.
 */
export function openCalls(
  methods: Readonly<Record<string, Method>>,
  close: () => void | Promise<void> = () => {},
): OpenPlugin {
  const underWay = new Set<Run>();
  let closed = false;
  return {
    call(name, args, call) {
      const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
      if (closed) return Promise.reject(new CallError("closed", "the plugin was closed"));
      if (call.signal.aborted) return Promise.reject(abortedBy(call.signal));
      if (method === undefined) {
        return Promise.reject(new CallError("argument", "there is no such method"));
      }
      return new Promise<Json>((resolve, reject) => {
        const run = new Run(call, resolve, reject);
        underWay.add(run);
        run.onEnd(() => underWay.delete(run));
        run.start(method, args);
      });
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const run of underWay) run.fail(new CallError("closed", "the plugin was closed"));
      await close();
    },
  };
}

function abortedBy(signal: AbortSignal): CallError {
  const { reason } = signal;
  return reason instanceof Error && reason.name === "TimeoutError"
    ? new CallError("timeout", "the time was over")
    : new CallError("aborted", "the call was given up");
}

class Run implements ActiveCall {
  readonly policy: string;
  readonly permission: Json;
  doing = "";
  ended = false;
  timeoutMs: number;
  readonly #signal: AbortSignal;
  readonly #resolve: (value: Json) => void;
  readonly #reject: (error: CallError) => void;
  readonly #releases: (() => void)[] = [];
  readonly #aborted = (): void => this.fail(abortedBy(this.#signal));
  #shortened = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    call: PluginCall,
    resolve: (value: Json) => void,
    reject: (error: CallError) => void,
  ) {
    this.policy = call.policy;
    this.permission = call.permission;
    this.timeoutMs = Math.max(1, call.timeoutMs);
    this.#signal = call.signal;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(method: Method, args: readonly Json[]): void {
    this.#signal.addEventListener("abort", this.#aborted);
    carryOut(method, args, this).then(
      (value) => this.#succeed(value),
      (error) => this.fail(failureOf(error, this.doing)),
    );
    if (!this.#shortened) this.within(DEFAULT_TIMEOUT_MS);
    if (this.ended) return;
    this.#timer = setTimeout(() => {
      const what = this.doing === "" ? "" : `${this.doing}: `;
      this.fail(new CallError("timeout", `${what}not done within ${this.timeoutMs} ms`));
    }, this.timeoutMs);
  }

  within(ms: number | undefined): void {
    this.#shortened = true;
    this.timeoutMs = Math.min(this.timeoutMs, ms ?? DEFAULT_TIMEOUT_MS);
  }

  onEnd(release: () => void): void {
    if (this.ended) release();
    else this.#releases.push(release);
  }

  fail(error: CallError): void {
    if (this.#end()) this.#reject(error);
  }

  #succeed(value: Json): void {
    if (this.#end()) this.#resolve(value);
  }

  #end(): boolean {
    if (this.ended) return false;
    this.ended = true;
    clearTimeout(this.#timer);
    this.#signal.removeEventListener("abort", this.#aborted);
    for (const release of this.#releases) release();
    return true;
  }
}

/** What is thrown before the first `await` rejects as well. */
async function carryOut(method: Method, args: readonly Json[], call: ActiveCall): Promise<Json> {
  return await method(args, call);
}
