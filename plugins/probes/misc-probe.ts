import type { ProgramOutcome, RunProgram } from "../../agent/ports/programs.ts";
import type { ProbeOf, ProbeOutcome, RunProbe } from "../../agent/ports/server-probes.ts";
import { wordsOf } from "../call/failure.ts";

/**
 * MISC_CHECK: a program's status. 0 is success, all else is failure; with misc_dynamic 1 alone is
 * failure, and 2–255 are success with a weight of the status less 2.
 */
export const miscProbe =
  (runProgram: RunProgram): RunProbe<ProbeOf<"misc">> =>
  async ({ command, timeout, dynamic }, signal) => {
    const { argv, runAs } = command;
    const end = await runProgram({ argv, runAs, timeoutMs: timeout / 1_000 }, signal);
    return { ...judge(end, dynamic), ms: Math.round(end.ms * 100) / 100 };
  };

function judge(end: ProgramOutcome, dynamic: boolean): Omit<ProbeOutcome, "ms"> {
  switch (end.kind) {
    case "exited": {
      const reason = `status ${end.status}`;
      if (dynamic && end.status > 1) return { ok: true, reason, weight: end.status - 2 };
      return { ok: end.status === 0, reason };
    }
    case "signalled":
      return { ok: false, reason: `ended by ${end.signal}` };
    case "timed-out":
    case "aborted":
      return { ok: false, reason: "timeout" };
    case "not-started":
      return { ok: false, reason: `could not be started: ${wordsOf(end.errno)}` };
  }
}
