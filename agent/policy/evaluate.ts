import { dirname, join } from "node:path";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { Position } from "../config/position.ts";
import type { Sandbox, SandboxFailure, SandboxListener } from "../sandbox/sandbox.ts";
import type { BuiltPolicy } from "./build-policy.ts";
import { fileStart, problem } from "./problem.ts";
import { readShape } from "./shape.ts";

/** A policy and the file that it was built from. */
export interface EvaluatedPolicy {
  /** Absolute path. */
  readonly file: string;
  readonly built: BuiltPolicy;
}

/** What policies do while they are evaluated reaches nobody. */
const NOBODY: SandboxListener = {
  call: () => undefined,
  effect: () => undefined,
  struck: () => undefined,
  recovered: () => undefined,
};

/**
 * Evaluates policies as an agent would before it runs them, and answers what is wrong with what they
 * declare. Nothing of them runs afterwards, and nothing that they say is done.
 */
export async function evaluatePolicies(
  policies: readonly EvaluatedPolicy[],
  open: (listener: SandboxListener) => Sandbox,
): Promise<readonly Diagnostic[]> {
  if (policies.length === 0) return [];
  const sandbox = open(NOBODY);
  try {
    const found = await Promise.all(policies.map((policy) => evaluate(policy, sandbox)));
    return found.flat();
  } finally {
    await sandbox.close();
  }
}

async function evaluate(
  { file, built }: EvaluatedPolicy,
  sandbox: Sandbox,
): Promise<readonly Diagnostic[]> {
  const outcome = await sandbox.load(built.bundle, undefined, "{}");
  if (!outcome.ok) return [failed(file, outcome.failure)];
  const { realm, shape } = outcome.loaded;
  sandbox.unload(realm);
  const read = readShape(shape, built.manifest);
  return read.ok ? [] : read.problems;
}

function failed(file: string, { kind, message, stack }: SandboxFailure): Diagnostic {
  const [place = ""] = stack;
  return problem("policy-evaluation", positionOf(file, place), {
    message: `it cannot be evaluated: ${message === "" ? kind : message}`,
    hint: "what stands outside of checks and hooks runs when the policy is loaded",
  });
}

/** `nginx.ts:3:7`, as the sandbox names places: relative to the policies folder. */
function positionOf(file: string, place: string): Position {
  const [, path, line, column] = /^(.+):(\d+):(\d+)$/.exec(place) ?? [];
  if (path === undefined) return fileStart(file);
  return { file: join(dirname(file), path), line: Number(line), column: Number(column) };
}
