import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Diagnostic } from "../config/diagnostic.ts";
import { fileStart, problem } from "./problem.ts";

export const DEFAULT_POLICIES = "/etc/holdfast/policies";

/** One policy in the policies folder. */
export interface PolicyFile {
  /** The file's name without `.ts`. */
  readonly name: string;
  /** Absolute path, as it stands in the folder: links are not followed. */
  readonly file: string;
}

export interface Discovery {
  /** By name. */
  readonly policies: readonly PolicyFile[];
  readonly problems: readonly Diagnostic[];
}

/** What may stand in configuration, metrics and paths without quotes. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Whether a file of this name is a policy: no test, no declaration, neither hidden nor `_shared`. */
export const isPolicyFile = (name: string): boolean =>
  name.endsWith(".ts") &&
  !name.endsWith(".test.ts") &&
  !name.endsWith(".d.ts") &&
  !name.startsWith("_") &&
  !name.startsWith(".");

export const isPolicyName = (name: string): boolean => NAME.test(name);

/** The name of the policy in a file: `nginx` for `/etc/holdfast/policies/nginx.ts`. */
export const policyNameOf = (file: string): string =>
  file.slice(file.lastIndexOf("/") + 1).replace(/\.ts$/, "");

/**
 * Lists the policies of a folder: `*.ts` directly in it. Folders in it hold modules that policies share.
 * A folder that is not there has no policies; that it cannot be read is a problem.
 */
export function discoverPolicies(directory: string): Discovery {
  const policies: PolicyFile[] = [];
  const problems: Diagnostic[] = [];
  for (const entry of entriesOf(directory, problems)) {
    if (!isPolicyFile(entry)) continue;
    const file = join(directory, entry);
    const name = policyNameOf(file);
    if (!isFile(file)) continue;
    if (isPolicyName(name)) policies.push({ name, file });
    else {
      problems.push(
        problem("policy-name", fileStart(file), {
          message: `${name} is no name for a policy`,
          hint: "rename the file: letters, digits, and - _ . after the first, at most 64",
        }),
      );
    }
  }
  return { policies, problems };
}

function entriesOf(directory: string, problems: Diagnostic[]): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    if (code !== "ENOENT") {
      problems.push(
        problem("policy-unreadable", fileStart(directory), {
          message: `the policies folder ${directory} cannot be read (${code})`,
          hint: "name a folder that this user may read with --policies",
        }),
      );
    }
    return [];
  }
}

/** A dangling link is kept: building it says what is wrong. */
function isFile(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined || !stats.isDirectory();
}
