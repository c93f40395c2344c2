import type { EngineSetup } from "./engine.ts";
import type { Instance, Opened } from "./quickjs-instance.ts";
import { instantiate, openRuntime } from "./quickjs-instance.ts";

// Making a runtime and running the prelude in it takes ten times as long as evaluating a policy. So
// that is done once, for some runtimes of one instance, and every further instance begins with a copy
// of that one's memory. All that the engine knows is in there: its only other variable is the stack
// pointer, which is the same whenever no code of it runs (a test holds that), and its table of
// functions never changes. What the library knows on this side, it is told anew.

/** What is left out of an image when there is nothing in it: most of the stack. */
const CHUNK_BYTES = 4096;
const NOTHING = Buffer.alloc(CHUNK_BYTES);

type Ffi = ReturnType<Instance["library"]["getFFI"]>;
type RuntimePointer = ReturnType<Ffi["QTS_NewRuntime"]>;
type ContextPointer = ReturnType<Ffi["QTS_NewContext"]>;
type ValuePointer = ReturnType<Ffi["QTS_NewString"]>;

/** Where a runtime lies, in every memory that began as the image. */
export interface PreparedRuntime {
  readonly runtime: RuntimePointer;
  readonly context: ContextPointer;
  readonly prelude: ValuePointer;
}

/** What the memory of a new instance is made of. */
export interface Image {
  readonly chunks: readonly { readonly at: number; readonly bytes: Uint8Array }[];
  readonly prepared: readonly PreparedRuntime[];
}

export async function takeImage(code: WebAssembly.Module, setup: EngineSetup): Promise<Image> {
  const instance = await instantiate(code, setup);
  // What an instance has from the start is in every image, even when it became nothing.
  const written = new Set(chunksWritten(instance.memory));
  const prepared = Array.from({ length: setup.prepared }, () => prepare(instance, setup));
  for (const at of chunksWritten(instance.memory)) written.add(at);
  const bytes = new Uint8Array(instance.memory.buffer);
  const chunks = [...written].map((at) => ({ at, bytes: bytes.slice(at, at + CHUNK_BYTES) }));
  return { chunks, prepared };
}

/** Into the memory of an instance that has never run. */
export function putImage({ chunks }: Image, { memory }: Instance): void {
  const all = new Uint8Array(memory.buffer);
  for (const { at, bytes } of chunks) all.set(bytes, at);
}

/** Makes the library know a runtime that the memory of an instance has had from the start. */
export function adoptRuntime(
  { library }: Instance,
  prepared: PreparedRuntime,
  stop: () => boolean,
): Opened {
  const ffi = library.getFFI();
  const { QTS_NewRuntime: make } = ffi;
  ffi.QTS_NewRuntime = () => prepared.runtime;
  const runtime = library.newRuntime({ interruptHandler: stop });
  ffi.QTS_NewRuntime = make;
  const context = runtime.newContext({ contextPointer: prepared.context });
  const prelude = context.getMemory(prepared.runtime).heapValueHandle(prepared.prelude);
  if (context.typeof(prelude) !== "function") throw new Error("the image is not what it was");
  return { runtime, context, prelude };
}

/** Opens a runtime, and sees where it is put. */
function prepare(instance: Instance, setup: EngineSetup): PreparedRuntime {
  const ffi = instance.library.getFFI();
  const { QTS_NewRuntime: makeRuntime, QTS_NewContext: makeContext } = ffi;
  let runtime: RuntimePointer | undefined;
  let context: ContextPointer | undefined;
  ffi.QTS_NewRuntime = () => {
    runtime = makeRuntime();
    return runtime;
  };
  ffi.QTS_NewContext = (of, intrinsics) => {
    context = makeContext(of, intrinsics);
    return context;
  };
  const { prelude } = openRuntime(instance, setup, () => false);
  ffi.QTS_NewRuntime = makeRuntime;
  ffi.QTS_NewContext = makeContext;
  if (runtime === undefined || context === undefined) throw new Error("nothing was made");
  // Of what is no constant of the engine, it is one of these.
  return { runtime, context, prelude: prelude.value as ValuePointer };
}

/** Where there is anything but zeros. */
function chunksWritten({ buffer }: WebAssembly.Memory): readonly number[] {
  const all = Buffer.from(buffer);
  const places = Array.from(
    { length: all.length / CHUNK_BYTES },
    (_, chunk) => chunk * CHUNK_BYTES,
  );
  return places.filter((at) => !all.subarray(at, at + CHUNK_BYTES).equals(NOTHING));
}
