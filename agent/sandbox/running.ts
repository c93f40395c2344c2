import process from "node:process";
import { LIMITS } from "./sandbox.ts";

// Who runs since when: written by a worker, read by the main thread while the worker is deaf.

export const RUNNING_BYTES = 12;

/** How long a thread may be held up, by an entry and by loading (or unloading). */
const ALLOWED_MS = { entry: LIMITS.watchdogMs, load: LIMITS.loadMs + LIMITS.watchdogMs } as const;
/** Time that the thread must have run meanwhile: more than after which the engine is interrupted. */
const DUE_MS = {
  entry: LIMITS.watchdogMs / 2,
  load: LIMITS.loadMs + LIMITS.watchdogMs / 2,
} as const;

const REALM = 0;
const SINCE = 1;
const LOADS = 2;

export interface Running {
  readonly realm: number;
  /** Differs from run to run. */
  readonly since: number;
  readonly lastedMs: number;
  readonly allowedMs: number;
  readonly dueMs: number;
  readonly act: keyof typeof ALLOWED_MS;
}

/** One clock for all threads, in milliseconds that wrap. */
const ticks = (): number => Number(process.hrtime.bigint() / 1_000_000n) | 0;

export class RunningSlot {
  readonly #cells: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.#cells = new Int32Array(shared);
  }

  /** Guest code of a realm is about to run. */
  begin(realm: number, act: Running["act"]): void {
    Atomics.store(this.#cells, SINCE, ticks());
    Atomics.store(this.#cells, LOADS, act === "load" ? 1 : 0);
    Atomics.store(this.#cells, REALM, realm);
  }

  end(): void {
    Atomics.store(this.#cells, REALM, 0);
  }

  read(): Running | undefined {
    const realm = Atomics.load(this.#cells, REALM);
    if (realm === 0) return undefined;
    const since = Atomics.load(this.#cells, SINCE);
    const act = Atomics.load(this.#cells, LOADS) === 1 ? "load" : "entry";
    const lastedMs = (ticks() - since) | 0;
    return { realm, since, lastedMs, allowedMs: ALLOWED_MS[act], dueMs: DUE_MS[act], act };
  }
}
