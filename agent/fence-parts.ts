import { exposure, walk } from "./config/path-walk.ts";
import type { FenceProblem } from "./core/witness/mandate.ts";
import { entryAt } from "./linux/config-host.ts";
import { enterNamedNamespace } from "./linux/namespace.ts";
import { nameProcess } from "./linux/process-identity.ts";
import { endAfterMessages, parentChannel } from "./linux/processes.ts";
import { runProgram } from "./linux/programs.ts";
import { setOutOfMemoryScore } from "./linux/scheduling.ts";
import { serveFence } from "./runtime/fence-process.ts";

/** It gives nothing up: which rights a fence agent needs, only its author knows. */
export function runFences(outOfMemoryScore: number): void {
  nameProcess("holdfast_fence");
  setOutOfMemoryScore(outOfMemoryScore);
  // Fence agents are let finish.
  process.on("SIGTERM", () => undefined);
  serveFence(parentChannel(), {
    run: runProgram,
    examine: examineProgram,
    enterNamespace: enterNamedNamespace,
    exit: () => endAfterMessages(0),
  });
}

/** A fence agent runs with the rights of the agent: only its user and root may decide what it is. */
export function examineProgram(program: string): FenceProblem | undefined {
  const walked = walk(program, { entry: entryAt });
  if (!walked.ok) {
    return { reason: `${walked.path} (${walked.errno})`, remedy: "name a program that is there" };
  }
  return exposure(walked.steps, [0, process.geteuid?.() ?? 0]);
}
