import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 15;

/** Asks again until `probe` does not throw; throws what it said last after `timeoutMs`. */
export async function eventually<Result>(
  what: string,
  timeoutMs: number,
  probe: () => Result | Promise<Result>,
): Promise<Result> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > end) {
        const last = error instanceof Error ? error.message : String(error);
        throw new Error(`not within ${timeoutMs} ms: ${what}\n${last}`, { cause: error });
      }
    }
    await delay(POLL_MS);
  }
}
