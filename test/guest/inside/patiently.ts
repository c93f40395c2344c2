import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../lab/eventually.ts";

const REST_MS = 150;

/**
 * As `eventually`, but asks rarely: there is one processor, and asking a program, or starting one to ask, takes
 * it from what is waited for. For what stays as it is once it has come.
 */
export function patiently<Result>(
  what: string,
  timeoutMs: number,
  probe: () => Result | Promise<Result>,
): Promise<Result> {
  return eventually(what, timeoutMs, async () => {
    try {
      return await probe();
    } catch (error) {
      await delay(REST_MS);
      throw error;
    }
  });
}
