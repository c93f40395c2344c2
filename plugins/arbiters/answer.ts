import type { StoreFailure as Failure } from "../../agent/core/witness/store-view.ts";

/** Ends work on a lease with an answer. Its words hold no secret and no text of the store's. */
export class StoreFailure extends Error {
  readonly answer: Failure;

  constructor(answer: Failure) {
    super(answer.reason);
    this.answer = answer;
  }
}

export const unreachable = (reason: string): StoreFailure =>
  new StoreFailure({ kind: "unreachable", reason });

export const refused = (reason: string, remedy: string): StoreFailure =>
  new StoreFailure({ kind: "refused", reason, remedy });

const TOO_LATE: Failure = { kind: "unreachable", reason: "no answer in time" };

/**
 * What the work answers, or that nothing came in time. What it finds afterwards is heard by nobody, and
 * nothing of it rejects.
 */
export function within<Answer>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer | Failure> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(TOO_LATE);
    const end = (answer: Answer | Failure): void => {
      signal.removeEventListener("abort", late);
      // Nor does an answer count that was worked out after its time, by an event loop that stood still.
      resolve(signal.aborted ? TOO_LATE : answer);
    };
    const late = (): void => end(TOO_LATE);
    signal.addEventListener("abort", late);
    work(signal).then(end, (error: unknown) => end(failureOf(error)));
  });
}

/** For what gives no answer: `release`. */
export async function attempt(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  await within(signal, work);
}

function failureOf(error: unknown): Failure {
  if (error instanceof StoreFailure) return error.answer;
  const { code } = error as { code?: unknown };
  const known = typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code) ? ` (${code})` : "";
  return { kind: "unreachable", reason: `the request failed${known}` };
}
