import type { Engine, EngineSetup } from "./engine.ts";
import { PRELUDE_FILE, readPrelude } from "./prelude.ts";
import { compileQuickjs, quickjs } from "./quickjs.ts";

/** What policies get of the engine. */
export const SETUP: EngineSetup = {
  // A thread needs 32 times as much of its own, or its own ends first.
  stackBytes: 131_072,
  // The engine counts eight bytes an allocation: this is about 200,000 small objects.
  heapBytes: 4_194_304,
  moduleBytes: 33_554_432,
  // Fewer would take more memory and time each; more would share each other's accidents.
  prepared: 20,
  prelude: readPrelude(),
  preludeFile: PRELUDE_FILE,
};

/** The engine that policies run in. `code` is compiled once for all threads. */
export const openEngine = (code: WebAssembly.Module = compileQuickjs()): Engine =>
  quickjs(code, SETUP);
