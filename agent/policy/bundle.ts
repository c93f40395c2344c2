import { relative } from "node:path";
import type { BuildFailure, Message } from "esbuild";
import type { Diagnostic, Severity } from "../config/diagnostic.ts";
import type { Position } from "../config/position.ts";
import { LIMITS } from "../sandbox/sandbox.ts";
import { bundler } from "./bundler.ts";
import type { ImportFault, ImportScope } from "./imports.ts";
import { importsWithin, POLICY_NAMESPACE } from "./imports.ts";
import { fileStart, problem } from "./problem.ts";

/** One ES module made of a policy and what it imports. */
export interface Bundle {
  readonly code: string;
  /** JSON; its sources are paths relative to the policies folder. */
  readonly sourceMap: string;
}

export type BundleOutcome =
  | { readonly ok: true; readonly bundle: Bundle; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly problems: readonly Diagnostic[] };

/** How messages name a file that was read. */
export type Shown = (path: string) => string;

/** Bundles the policy in `entry`, a path without links. */
export async function bundle(
  entry: string,
  scope: ImportScope,
  shown: Shown,
): Promise<BundleOutcome> {
  const { build } = await bundler();
  try {
    const result = await build({
      entryPoints: [entry],
      outfile: "policy.js",
      plugins: [importsWithin(scope)],
      bundle: true,
      format: "esm",
      target: "es2023",
      platform: "neutral",
      charset: "utf8",
      sourcemap: "external",
      sourcesContent: false,
      legalComments: "none",
      write: false,
      logLevel: "silent",
      logLimit: 50,
    });
    const text = (suffix: string): string =>
      result.outputFiles.find(({ path }) => path.endsWith(suffix))?.text ?? "";
    const made = { code: text(".js"), sourceMap: namedSources(text(".map"), scope.root) };
    const warnings = result.warnings.map((each) => messageProblem(each, "warning", entry, shown));
    return sizedBundle(made, warnings, shown(entry));
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const problems = error.errors.map((each) => messageProblem(each, "error", entry, shown));
    return { ok: false, problems };
  }
}

/** The bundle, if it is no larger than a policy may be. */
export function sizedBundle(
  made: Bundle,
  warnings: readonly Diagnostic[],
  file: string,
): BundleOutcome {
  const tooLarge = sizeProblem(made.code, file);
  if (tooLarge !== undefined) return { ok: false, problems: [tooLarge] };
  return { ok: true, bundle: made, warnings };
}

function sizeProblem(code: string, file: string): Diagnostic | undefined {
  const bytes = Buffer.byteLength(code);
  if (bytes <= LIMITS.bundleBytes) return undefined;
  return problem("policy-size", fileStart(file), {
    message: `the policy and what it imports come to ${Math.ceil(bytes / 1024)} KiB`,
    hint: `a policy has at most ${LIMITS.bundleBytes / 1024} KiB; import less, or split it`,
  });
}

/** Sources by the names that people read in stacks: `nginx.ts`, `shared/http.ts`. */
function namedSources(text: string, root: string): string {
  const map = JSON.parse(text) as { sources: readonly string[] };
  const prefix = `${POLICY_NAMESPACE}:`;
  const sources = map.sources.map((source) =>
    source.startsWith(prefix) ? relative(root, source.slice(prefix.length)) : source,
  );
  return JSON.stringify({ ...map, sources });
}

/** What esbuild says, as a finding. */
export function messageProblem(
  message: Message,
  severity: Severity,
  entry: string,
  shown: Shown,
): Diagnostic {
  const { location, text, notes } = message;
  const detail = message.detail as ImportFault | undefined;
  const hint =
    detail?.hint ??
    (location?.suggestion ? `write ${location.suggestion}` : notes.find((note) => note.text)?.text);
  const words = { message: text, hint, severity };
  const code = detail?.code ?? "policy-syntax";
  if (location === null) return problem(code, fileStart(shown(entry)), words);
  const before = Buffer.from(location.lineText).subarray(0, location.column).toString();
  const bytes = Buffer.from(location.lineText).subarray(location.column);
  const position: Position = {
    file: shown(location.file.replace(new RegExp(`^${POLICY_NAMESPACE}:`), "")),
    line: location.line,
    column: before.length + 1,
  };
  return problem(code, position, {
    ...words,
    text: bytes.subarray(0, location.length).toString(),
  });
}

export const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && "errors" in error && Array.isArray(error.errors);
