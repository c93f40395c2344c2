import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 1_000;
/** A turn that took so long did wait for something. */
const WAITED_MS = 200;

/**
 * Repeats a turn of waiting for a change until it is stopped; after one that failed, or that ended at
 * once, with a pause.
 */
export function listen(turn: (signal: AbortSignal) => Promise<void>): () => void {
  const stop = new AbortController();
  void repeat(turn, stop.signal);
  return () => stop.abort();
}

async function repeat(
  turn: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const begun = performance.now();
    // A hint that is missed costs time alone: whoever wants a lease asks for it anyway.
    const isWell = await turn(signal).then(
      () => true,
      () => false,
    );
    if (isWell && performance.now() - begun > WAITED_MS) continue;
    await sleep(PAUSE_MS, undefined, { signal, ref: false }).catch(() => {});
  }
}
