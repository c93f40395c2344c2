import { readlinkSync } from "node:fs";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import type {
  BatchFromWorker,
  BatchToWorker,
  FromWorker,
  WorkerReady,
  WorkerStart,
} from "./messages.ts";
import { Realm } from "./realm.ts";
import { RunningSlot } from "./running.ts";
import { openEngine, SETUP } from "./setup.ts";
import { Shard } from "./shard.ts";

// Entry of a worker thread. It is terminated without warning, so it holds nothing but what it can
// lose: the main thread has each bundle and each state.

/** Lets everything else of the agent run first. On Linux it counts for this thread alone. */
const NICE = 10;
/** Longer than this no result waits for the rest of its batch. */
const BATCH_MS = 2;

const { code, running } = workerData as WorkerStart;
const port = parentPort;
if (port === null) throw new Error("this file is for worker threads");

try {
  setPriority(0, NICE);
} catch {
  // It only runs with more of a share than it should.
}

const engine = openEngine(code);
let waiting: FromWorker[] = [];
let sentAt = 0;

function send(done: number): void {
  const batch: BatchFromWorker = { done, messages: waiting };
  waiting = [];
  sentAt = performance.now();
  port?.postMessage(batch);
}

const shard = new Shard({
  openModule: () => engine.module(),
  tell: (message) => waiting.push(message),
  running: new RunningSlot(running),
  clock: () => Date.now(),
  now: () => performance.now(),
});

async function work({ number, messages }: BatchToWorker): Promise<void> {
  sentAt = performance.now();
  for (const message of messages) {
    await shard.obey(message);
    if (waiting.length > 0 && performance.now() - sentAt > BATCH_MS) send(0);
  }
  send(number);
}

/** Code that has run is compiled: a standby has to load many policies while all of them wait. */
async function warmUp(): Promise<void> {
  const module = await engine.module();
  const bundle = { name: "", code: "export default {}", sourceMap: "", permissions: "{}" };
  for (let count = 0; count < SETUP.prepared; count++) {
    Realm.load(module, bundle, undefined, "{}", { clock: Date.now, seed: 0 });
  }
}

function schedstat(): string | undefined {
  try {
    return `/proc/${readlinkSync("/proc/thread-self")}/schedstat`;
  } catch {
    return undefined;
  }
}

await engine.prepare();
await warmUp();
port.postMessage({ schedstat: schedstat() } satisfies WorkerReady);

/** One batch after the other, as loading waits for modules. */
let last: Promise<void> = Promise.resolve();
port.on("message", (batch: BatchToWorker) => {
  last = last.then(() => work(batch));
});
