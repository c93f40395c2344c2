import { dirname, resolve } from "node:path";
import type { Diagnostic } from "../../config/diagnostic.ts";
import { DEFAULT_SETTINGS_FILE } from "../../config/settings.ts";
import type { PolicyFile } from "../../policy/discover.ts";
import { DEFAULT_POLICIES, discoverPolicies, policyNameOf } from "../../policy/discover.ts";
import type { ParsedArguments } from "../arguments.ts";
import { UsageError } from "../arguments.ts";
import { textOf } from "../run-options.ts";

/** One policy that a command was told to look at. */
export interface ChosenPolicy extends PolicyFile {
  /** The policies folder that it belongs to. */
  readonly directory: string;
}

export interface Chosen {
  readonly policies: readonly ChosenPolicy[];
  readonly problems: readonly Diagnostic[];
}

/** The folder that `--policies` names. */
export const policiesDirectory = (parsed: ParsedArguments): string =>
  resolve(textOf(parsed, "policies") ?? DEFAULT_POLICIES);

/** The file that `--settings` names. */
export const settingsFile = (parsed: ParsedArguments): string =>
  resolve(textOf(parsed, "settings") ?? DEFAULT_SETTINGS_FILE);

/** Files as they are named, each in its own folder where `--policies` names none; else all there are. */
export function chosenFiles(parsed: ParsedArguments): Chosen {
  if (parsed.operands.length === 0) return allPolicies(parsed);
  const given = textOf(parsed, "policies");
  const policies = parsed.operands.map((operand) => {
    const file = resolve(operand);
    const directory = given === undefined ? dirname(file) : resolve(given);
    return { name: policyNameOf(file), file, directory };
  });
  return { policies, problems: [] };
}

/** Policies of the folder by name; all without one. Throws a UsageError for a name that is not there. */
export function chosenNames(parsed: ParsedArguments): Chosen {
  const all = allPolicies(parsed);
  if (parsed.operands.length === 0) return all;
  const policies = parsed.operands.map((name) => {
    const found = all.policies.find((policy) => policy.name === name);
    if (found !== undefined) return found;
    const directory = policiesDirectory(parsed);
    throw new UsageError(`there is no policy ${name} in ${directory}`, "ls lists them");
  });
  return { policies, problems: all.problems };
}

function allPolicies(parsed: ParsedArguments): Chosen {
  const directory = policiesDirectory(parsed);
  const { policies, problems } = discoverPolicies(directory);
  return { policies: policies.map((policy) => ({ ...policy, directory })), problems };
}
