import { closeSync, openSync, readSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type {
  BatchFromWorker,
  FromWorker,
  ToWorker,
  WorkerReady,
  WorkerStart,
} from "./messages.ts";
import type { Running } from "./running.ts";
import { RUNNING_BYTES, RunningSlot } from "./running.ts";

/** The engine's stack of 128 KiB needs 32 times as much of the thread's, or that one ends first. */
const STACK_MB = 4;
/** Of JavaScript outside of the engine: bundles, states and views. */
const HEAP_MB = 256;
/** For what lives shortly. The default grows to ten times as much while policies load, and stays. */
const YOUNG_HEAP_MB = 4;

/** From sources a worker is a file of the sources; a build has it as one file of its own. */
const ENTRY = new URL(
  import.meta.url.endsWith(".ts") ? "worker.ts" : "sandbox-worker.js",
  import.meta.url,
);

export interface LaneListener {
  heard(lane: Lane, messages: readonly FromWorker[]): void;
  /** The thread ended, and not because it was told to. */
  ended(lane: Lane): void;
}

/** One worker thread, as the main thread sees it. */
export class Lane {
  readonly #worker: Worker;
  readonly #slot: RunningSlot;
  readonly #listener: LaneListener;
  #waiting: ToWorker[] = [];
  #ready = false;
  #sent = 0;
  #done = 0;
  #flushing: NodeJS.Immediate | undefined;
  #schedstat: number | undefined;
  #closed: Promise<unknown> | undefined;

  constructor(code: WebAssembly.Module, listener: LaneListener) {
    this.#listener = listener;
    const running = new SharedArrayBuffer(RUNNING_BYTES);
    this.#slot = new RunningSlot(running);
    this.#worker = new Worker(ENTRY, {
      name: "policies",
      workerData: { code, running } satisfies WorkerStart,
      resourceLimits: {
        stackSizeMb: STACK_MB,
        maxOldGenerationSizeMb: HEAP_MB,
        maxYoungGenerationSizeMb: YOUNG_HEAP_MB,
      },
    });
    this.#worker.once("message", (ready: WorkerReady) => {
      this.#ready = true;
      this.#watchTime(ready.schedstat);
      this.#worker.on("message", (batch: BatchFromWorker) => this.#hear(batch));
    });
    this.#worker.on("error", (error: NodeJS.ErrnoException) => {
      // Out of memory is what policies may bring about; all else, and before they run, is a defect.
      this.#ready &&= error.code === "ERR_WORKER_OUT_OF_MEMORY";
      if (!this.#ready) throw error;
      this.#end();
    });
    this.#worker.on("exit", () => this.#end());
  }

  /** Leaves with all that is said in this turn of the loop. */
  send(message: ToWorker): void {
    this.#waiting.push(message);
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  /** Whether it has anything to do. */
  get busy(): boolean {
    return this.#done !== this.#sent || this.#waiting.length > 0;
  }

  /** Whose code runs, and since when. */
  running(): Running | undefined {
    return this.#slot.read();
  }

  /** Milliseconds that the thread has run so far; `undefined` where the kernel does not tell. */
  ranMs(): number | undefined {
    if (this.#schedstat === undefined) return undefined;
    const buffer = Buffer.alloc(64);
    try {
      const length = readSync(this.#schedstat, buffer, 0, buffer.length, 0);
      return Number.parseInt(buffer.toString("latin1", 0, length), 10) / 1e6;
    } catch {
      return undefined;
    }
  }

  /** Ends the thread, whatever it does. Nothing is heard of it any more. Idempotent. */
  close(): Promise<unknown> {
    if (this.#closed === undefined) {
      clearImmediate(this.#flushing);
      if (this.#schedstat !== undefined) closeSync(this.#schedstat);
      this.#schedstat = undefined;
      this.#closed = this.#worker.terminate();
    }
    return this.#closed;
  }

  #flush(): void {
    this.#flushing = undefined;
    const messages = this.#waiting;
    this.#waiting = [];
    this.#sent++;
    this.#worker.postMessage({ number: this.#sent, messages });
  }

  #hear({ done, messages }: BatchFromWorker): void {
    if (this.#closed !== undefined) return;
    if (done !== 0) this.#done = done;
    this.#listener.heard(this, messages);
  }

  #end(): void {
    if (this.#closed === undefined && this.#ready) this.#listener.ended(this);
  }

  #watchTime(schedstat: string | undefined): void {
    if (schedstat === undefined || this.#closed !== undefined) return;
    try {
      this.#schedstat = openSync(schedstat, "r");
    } catch {
      // A kernel without it, or a /proc that hides it.
    }
  }
}
