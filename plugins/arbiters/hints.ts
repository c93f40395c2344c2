import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 1_000;

/**
 * Repeats a turn of waiting for a change until it is stopped; after one that failed, or that ended at
 * once, with a pause.
 */
export function listen(turn: (signal: AbortSignal) => Promise<void>): () => void {
  const stop = new AbortController();
  const go = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      // A hint that is missed costs time alone: whoever wants a lease asks for it anyway.
      await turn(stop.signal).catch(() => {});
      await sleep(PAUSE_MS, undefined, { signal: stop.signal, ref: false }).catch(() => {});
    }
  };
  void go();
  return () => stop.abort();
}
