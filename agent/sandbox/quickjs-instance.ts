import type {
  QuickJSContext,
  QuickJSHandle,
  QuickJSRuntime,
  QuickJSWASMModule,
} from "quickjs-emscripten";
import { newQuickJSWASMModuleFromVariant, newVariant, RELEASE_SYNC } from "quickjs-emscripten";
import type { EngineSetup } from "./engine.ts";

const PAGE_BYTES = 65_536;
/** What the compiled module asks for. */
const FIRST_PAGES = 256;

/**
 * Where the engine gives up it throws as well, and whoever catches that tells more: a runtime that ran
 * out of memory may have lost objects, and cannot be freed, for one.
 */
const SILENT = { printErr: (): void => undefined };

/** The engine's code with a memory of its own. */
export interface Instance {
  readonly library: QuickJSWASMModule;
  readonly memory: WebAssembly.Memory;
}

/** A runtime in which the prelude has run. */
export interface Opened {
  readonly runtime: QuickJSRuntime;
  readonly context: QuickJSContext;
  readonly prelude: QuickJSHandle;
}

export async function instantiate(
  code: WebAssembly.Module,
  { moduleBytes }: EngineSetup,
): Promise<Instance> {
  const memory = new WebAssembly.Memory({
    initial: FIRST_PAGES,
    maximum: Math.ceil(moduleBytes / PAGE_BYTES),
  });
  const variant = newVariant(RELEASE_SYNC, {
    wasmModule: code,
    emscriptenModule: { wasmMemory: memory, ...SILENT },
  });
  return { library: await newQuickJSWASMModuleFromVariant(variant), memory };
}

/** `stop` is asked again and again while guest code runs; `true` ends it. */
export function openRuntime(
  { library }: Instance,
  setup: EngineSetup,
  stop: () => boolean,
): Opened {
  const runtime = library.newRuntime({
    maxStackSizeBytes: setup.stackBytes,
    memoryLimitBytes: setup.heapBytes,
    interruptHandler: stop,
  });
  const context = runtime.newContext();
  const evaluated = context.evalCode(setup.prelude, setup.preludeFile, {
    type: "global",
    strict: true,
  });
  // It needs less than the least that there is.
  if (evaluated.error !== undefined) throw new Error("the prelude failed");
  return { runtime, context, prelude: evaluated.value };
}
