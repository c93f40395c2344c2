import type { TimedCommand } from "../../config/notifications.ts";
import type { ProgramOutcome, RunProgram } from "../../ports/programs.ts";

/** Runs a script to its end. Answers in words how it failed; `undefined`: it did not. */
export async function runTimed(
  run: RunProgram,
  { command: { argv, runAs }, timeout }: TimedCommand,
): Promise<string | undefined> {
  return failureOf(await run({ argv, runAs, timeoutMs: timeout / 1_000 }));
}

/** How a program failed, to be read after its name; `undefined`: it ended with status 0. */
export function failureOf(outcome: ProgramOutcome): string | undefined {
  switch (outcome.kind) {
    case "exited":
      return outcome.status === 0 ? undefined : `ended with status ${outcome.status}`;
    case "signalled":
      return `was ended by ${outcome.signal}`;
    case "timed-out":
      return "took too long";
    case "aborted":
      return "was stopped";
    case "not-started":
      return `could not be started (${outcome.errno})`;
  }
}
