import type { Later } from "../ports/processes.ts";

/** Many times as long as most work takes that somebody asks for. */
const LONG_MS = 3_000;

/** Waits for `work`, and has it said once if that lasts. */
export async function saidIfLong<Answer>(
  later: Later,
  work: Promise<Answer>,
  say: () => void,
): Promise<Answer> {
  const cancel = later(LONG_MS, say);
  try {
    return await work;
  } finally {
    cancel();
  }
}
