import type { Diagnostic } from "../../config/diagnostic.ts";
import type { Settings } from "../../config/settings.ts";
import type { BuiltPolicy } from "../../policy/build-policy.ts";
import { buildPolicy } from "../../policy/build-policy.ts";
import { DEFAULT_POLICIES } from "../../policy/discover.ts";
import { compareGrants } from "../../policy/grants.ts";
import { agentTrust } from "../../policy/ownership.ts";
import type { PermissionRule } from "../../policy/permission-rule.ts";
import { fileStart, problem } from "../../policy/problem.ts";
import { readTrusted } from "../../policy/trusted-file.ts";
import { checkTypes } from "../../policy/type-check.ts";
import type { CliHost } from "../host.ts";
import type { ChosenPolicy } from "./policies.ts";

/** What was found in one policy. */
export interface Examined {
  readonly policy: ChosenPolicy;
  /** `undefined`: it cannot be built. */
  readonly built: BuiltPolicy | undefined;
  readonly problems: readonly Diagnostic[];
}

/** Builds each policy and looks at who owns what it is made of. */
export const examineAll = (policies: readonly ChosenPolicy[]): Promise<readonly Examined[]> =>
  Promise.all(policies.map(examine));

async function examine(policy: ChosenPolicy): Promise<Examined> {
  const { directory, file } = policy;
  const outcome = await buildPolicy({ directory, file, trust: "anyone" });
  const owners = ownerProblems(outcome.inputs, directory === DEFAULT_POLICIES);
  if (!outcome.ok) return { policy, built: undefined, problems: [...outcome.problems, ...owners] };
  return { policy, built: outcome.policy, problems: [...outcome.policy.warnings, ...owners] };
}

/** Where the agent reads policies, a wrong owner is an error; in a checkout elsewhere it may be right. */
function ownerProblems(inputs: readonly string[], installed: boolean): readonly Diagnostic[] {
  const trust = agentTrust();
  const found = new Map<string, Diagnostic>();
  for (const input of inputs) {
    const read = readTrusted(input, trust);
    if (read.ok || read.kind !== "owner") continue;
    found.set(
      read.message,
      problem("policy-owner", fileStart(input), {
        message: `the agent would not load it: ${read.message}`,
        hint: read.hint,
        severity: installed ? "error" : "warning",
      }),
    );
  }
  return [...found.values()];
}

/** Types of the policies that could be built, findings of shared files once. */
export async function typeProblems(examined: readonly Examined[]): Promise<readonly Diagnostic[]> {
  const files = examined.filter(({ built }) => built !== undefined).map(({ policy }) => policy);
  const [first] = files;
  if (first === undefined) return [];
  return await checkTypes({ directory: first.directory, files: files.map(({ file }) => file) });
}

/**
 * What is wrong with what policies declare. Those with other errors are left out: most of what would be
 * found is said already.
 */
export async function declarationProblems(
  examined: readonly Examined[],
  known: readonly Diagnostic[],
  host: Pick<CliHost, "evaluatePolicies">,
): Promise<readonly Diagnostic[]> {
  const wrong = new Set(known.filter(isError).map(({ position }) => position.file));
  const policies = examined.flatMap(({ policy: { file }, built, problems }) =>
    built === undefined || wrong.has(file) || problems.some(isError) ? [] : [{ file, built }],
  );
  return await host.evaluatePolicies(policies);
}

const isError = ({ severity }: Diagnostic): boolean => severity === "error";

/** What of a policy's permissions means nothing, or is not granted: a warning, as it is in no source. */
export function grantProblems(
  { policy, built }: Examined,
  settings: Settings | undefined,
  rules: readonly PermissionRule[],
): readonly Diagnostic[] {
  if (built === undefined || settings === undefined) return [];
  const { problems } = compareGrants(policy.name, built.manifest, settings, rules);
  return problems.map((each) =>
    each.code === "policy-grant" ? { ...each, severity: "warning" } : each,
  );
}
