import type { QuickJSContext, QuickJSHandle, QuickJSRuntime } from "quickjs-emscripten";
import type { Completion, EngineRuntime, EngineValue } from "./engine.ts";

/** A handle of the library is what this adapter's callers know as an `EngineValue`. */
export const asValue = (handle: QuickJSHandle): EngineValue => handle as unknown as EngineValue;
const handleOf = (value: EngineValue): QuickJSHandle => value as unknown as QuickJSHandle;

export class QuickjsRuntime implements EngineRuntime {
  readonly #runtime: QuickJSRuntime;
  readonly #context: QuickJSContext;

  constructor(runtime: QuickJSRuntime, context: QuickJSContext) {
    this.#runtime = runtime;
    this.#context = context;
  }

  module(code: string, file: string): Completion {
    return completion(this.#context.evalCode(code, file, { type: "module" }));
  }

  defaultExport(evaluated: EngineValue): Completion | undefined {
    const handle = handleOf(evaluated);
    const state = this.#context.getPromiseState(handle);
    if (state.type === "pending") return undefined;
    if (state.type === "rejected") return { threw: true, value: asValue(state.error) };
    const value = asValue(this.#context.getProp(state.value, "default"));
    if (state.notAPromise !== true) state.value.dispose();
    return { threw: false, value };
  }

  call(fn: EngineValue, args: readonly (string | number | EngineValue)[]): Completion {
    const context = this.#context;
    const made: QuickJSHandle[] = [];
    const handles = args.map((arg) => {
      if (typeof arg === "object") return handleOf(arg);
      const handle = typeof arg === "string" ? context.newString(arg) : context.newNumber(arg);
      made.push(handle);
      return handle;
    });
    const answer = context.callFunction(handleOf(fn), context.undefined, handles);
    for (const handle of made) handle.dispose();
    return completion(answer);
  }

  text(value: EngineValue, most: number): string | undefined {
    const handle = handleOf(value);
    if (this.#context.typeof(handle) !== "string") return undefined;
    // Of a text it is the engine's own, and no getter.
    const length = this.#context.getProp(handle, "length");
    const units = this.#context.getNumber(length);
    length.dispose();
    if (units > most) return undefined;
    return this.#context.getString(handle);
  }

  hasJobs(): boolean {
    return this.#runtime.hasPendingJob();
  }

  runJobs(most: number): void {
    const ran = this.#runtime.executePendingJobs(most);
    if (ran.error === undefined) ran.dispose();
    else ran.error.dispose();
  }

  heapBytes(): number {
    const usage = this.#runtime.computeMemoryUsage();
    const size = this.#context.getProp(usage, "memory_used_size");
    const bytes = this.#context.getNumber(size);
    size.dispose();
    usage.dispose();
    return bytes;
  }

  free(value: EngineValue): void {
    handleOf(value).dispose();
  }

  dispose(): void {
    this.#context.dispose();
    this.#runtime.dispose();
  }
}

const completion = (
  result:
    | { readonly value: QuickJSHandle; readonly error?: undefined }
    | { readonly error: QuickJSHandle },
): Completion =>
  result.error === undefined
    ? { threw: false, value: asValue(result.value) }
    : { threw: true, value: asValue(result.error) };
