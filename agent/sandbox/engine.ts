// What the sandbox needs of a JavaScript engine; another engine takes its place by these methods.

/** A value inside an engine. It is freed by `free`, or with its runtime. */
export interface EngineValue {
  readonly [engineValue]: true;
}
declare const engineValue: unique symbol;

/** `threw`: the value was thrown. */
export interface Completion {
  readonly threw: boolean;
  readonly value: EngineValue;
}

/**
 * One isolated runtime with its own heap, limits and queue of jobs. An exception out of any method,
 * other than those that are named, means that the whole module can be trusted no more.
 */
export interface EngineRuntime {
  /** Begins an ES module that imports nothing; one with `await` at its top level goes on in jobs. */
  module(code: string, file: string): Completion;
  /** Default export of what `module` answered; nothing while it still waits. */
  defaultExport(evaluated: EngineValue): Completion | undefined;
  call(fn: EngineValue, args: readonly (string | number | EngineValue)[]): Completion;
  /** Text of a string that is no longer than `most` UTF-16 units; runs no guest code. */
  text(value: EngineValue, most: number): string | undefined;
  hasJobs(): boolean;
  /** Runs some jobs of promises: at most `most`. */
  runJobs(most: number): void;
  /** Counts the heap of this runtime; takes milliseconds. */
  heapBytes(): number;
  free(value: EngineValue): void;
  dispose(): void;
}

/** What all runtimes of an engine have in common. */
export interface EngineSetup {
  readonly stackBytes: number;
  /** Most that a runtime may have of small objects; large ones are held by the module's memory. */
  readonly heapBytes: number;
  readonly moduleBytes: number;
  /** Runtimes that each module has from the start; further ones take longer to open. */
  readonly prepared: number;
  /** A script that has run in every runtime before anything else does. */
  readonly prelude: string;
  readonly preludeFile: string;
}

export interface OpenRuntime {
  readonly runtime: EngineRuntime;
  /** What the prelude answered. */
  readonly prelude: EngineValue;
}

/** Some runtimes that share one memory. There is nothing to dispose of: it is garbage, or in use. */
export interface EngineModule {
  /** `stop` is asked again and again while guest code runs; `true` ends it. */
  open(stop: () => boolean): OpenRuntime;
  /** Bytes of memory that it has; they never get fewer. */
  memoryBytes(): number;
}

/** Makes modules. */
export interface Engine {
  /** Does what all modules need once, so that the first one comes as quickly as the others. */
  prepare(): Promise<void>;
  module(): Promise<EngineModule>;
}
