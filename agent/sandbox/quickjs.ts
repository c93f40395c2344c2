import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Engine, EngineModule, EngineSetup, OpenRuntime } from "./engine.ts";
import type { Image, PreparedRuntime } from "./quickjs-image.ts";
import { adoptRuntime, putImage, takeImage } from "./quickjs-image.ts";
import type { Instance } from "./quickjs-instance.ts";
import { instantiate, openRuntime } from "./quickjs-instance.ts";
import { asValue, QuickjsRuntime } from "./quickjs-runtime.ts";

/** The code of the engine, compiled: once for all threads. */
export function compileQuickjs(): WebAssembly.Module {
  const require = createRequire(import.meta.url);
  // From where quickjs-emscripten lies, as not every package manager lets others see what it needs.
  const inside = createRequire(require.resolve("quickjs-emscripten"));
  const file = inside.resolve("@jitl/quickjs-wasmfile-release-sync/wasm");
  return new WebAssembly.Module(readFileSync(file));
}

/**
 * QuickJS in WebAssembly. Its own limit of memory hardly counts bytes, as emscripten does not say how
 * large an allocation is: what holds is the maximum of the module's memory.
 */
export function quickjs(code: WebAssembly.Module, setup: EngineSetup): Engine {
  let image: Promise<Image> | undefined;
  const prepare = (): Promise<Image> => {
    image ??= takeImage(code, setup);
    return image;
  };
  return {
    prepare: async () => void (await prepare()),
    module: async () => {
      const taken = await prepare();
      const instance = await instantiate(code, setup);
      putImage(taken, instance);
      return new QuickjsModule(instance, setup, taken.prepared);
    },
  };
}

class QuickjsModule implements EngineModule {
  readonly #instance: Instance;
  readonly #setup: EngineSetup;
  readonly #prepared: PreparedRuntime[];

  constructor(instance: Instance, setup: EngineSetup, prepared: readonly PreparedRuntime[]) {
    this.#instance = instance;
    this.#setup = setup;
    this.#prepared = [...prepared];
  }

  open(stop: () => boolean): OpenRuntime {
    const prepared = this.#prepared.pop();
    const { runtime, context, prelude } =
      prepared === undefined
        ? openRuntime(this.#instance, this.#setup, stop)
        : adoptRuntime(this.#instance, prepared, stop);
    return { runtime: new QuickjsRuntime(runtime, context), prelude: asValue(prelude) };
  }

  memoryBytes(): number {
    return this.#instance.memory.buffer.byteLength;
  }
}
