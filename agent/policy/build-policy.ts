import { join, relative } from "node:path";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { PolicyBundle } from "../sandbox/sandbox.ts";
import { buildAlone } from "./alone.ts";
import type { Bundle, Shown } from "./bundle.ts";
import { bundle } from "./bundle.ts";
import { policyNameOf } from "./discover.ts";
import type { ImportScope } from "./imports.ts";
import type { Manifest } from "./manifest.ts";
import { readManifest } from "./manifest.ts";
import type { Trust } from "./ownership.ts";
import { agentTrust, isWithin, resolveTrusted } from "./ownership.ts";
import { fileStart, problem } from "./problem.ts";
import { nodesOf, parsed, positionsFrom } from "./stripped.ts";
import { readTrusted } from "./trusted-file.ts";

export interface BuildRequest {
  /** The policies folder; nothing outside of it is imported. */
  readonly directory: string;
  /** The policy's file in it, as `discoverPolicies` names it. */
  readonly file: string;
  /** Whose files count. Default: root's and the agent's own. `anyone`: no matter whose. */
  readonly trust?: Trust | "anyone";
}

/** A policy, ready for the sandbox. */
export interface BuiltPolicy {
  /** Its permissions are what it asks for: put those in their place that were granted. */
  readonly bundle: PolicyBundle;
  readonly manifest: Manifest;
  readonly warnings: readonly Diagnostic[];
}

export type BuildOutcome = (
  | { readonly ok: true; readonly policy: BuiltPolicy }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] }
) & {
  /** Absolute paths of what was read, also when it failed: a change of one calls for a new build. */
  readonly inputs: readonly string[];
};

/**
 * Makes a bundle of a policy's file: checks who owns it, bundles it with what it imports, and reads its
 * permissions. Nothing of the policy is run. Never rejects for what a file says.
 */
export async function buildPolicy(request: BuildRequest): Promise<BuildOutcome> {
  const { directory, file } = request;
  const trust = request.trust === "anyone" ? undefined : (request.trust ?? agentTrust());
  const entry = readTrusted(file, trust);
  if (!entry.ok) {
    const code = entry.kind === "owner" ? "policy-owner" : "policy-unreadable";
    return { ok: false, problems: [problem(code, fileStart(file), entry)], inputs: [file] };
  }
  const root = resolveTrusted(directory, undefined).path;
  if (!isWithin(root, entry.path)) {
    const message = `${file} leads to ${entry.path}, which lies outside of the policies folder`;
    const outside = problem("policy-import", fileStart(file), {
      message,
      hint: `copy the file into ${directory}`,
    });
    return { ok: false, problems: [outside], inputs: [file] };
  }
  const sources = new Map([[entry.path, entry.text]]);
  const scope: ImportScope = { root, trust, sources };
  const shown: Shown = (path) =>
    path === entry.path ? file : join(directory, relative(root, path));
  const alone = await buildAlone(entry, scope, file);
  const [bundled, read] =
    alone === undefined
      ? await Promise.all([bundle(entry.path, scope, shown), readManifest(entry.text, file)])
      : [alone.bundled, alone.read];
  const inputs = [...new Set([file, ...sources.keys()])];
  if (!bundled.ok) return { ok: false, problems: bundled.problems, inputs };
  if (!read.ok) return { ok: false, problems: read.problems, inputs };
  const computed = computedImports(bundled.bundle, (source) => shown(join(root, source)), file);
  if (computed.length > 0) return { ok: false, problems: computed, inputs };
  const { code, sourceMap } = bundled.bundle;
  const permissions = JSON.stringify(read.manifest.permissions);
  return {
    ok: true,
    policy: {
      bundle: { name: policyNameOf(file), code, sourceMap, permissions },
      manifest: read.manifest,
      warnings: bundled.warnings,
    },
    inputs,
  };
}

/** `import()` of a text is bundled; what is left of it would only fail when it is run. */
function computedImports(
  { code, sourceMap }: Bundle,
  fileOf: (source: string) => string,
  file: string,
): readonly Diagnostic[] {
  if (!/\bimport\s*\(/.test(code)) return [];
  const positionOf = positionsFrom(sourceMap, fileOf, fileStart(file));
  const found: Diagnostic[] = [];
  for (const node of nodesOf(parsed(code))) {
    if (node.type !== "ImportExpression") continue;
    found.push(
      problem("policy-import", positionOf(node), {
        message: "import() must name its file in quotes",
        text: "import",
        hint: 'write import("./file.ts"), or import all of them at the top and choose',
      }),
    );
  }
  return found;
}
