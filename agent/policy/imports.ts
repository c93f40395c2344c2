import { dirname, join } from "node:path";
import type { OnLoadResult, OnResolveArgs, OnResolveResult, PartialMessage, Plugin } from "esbuild";
import type { Trust } from "./ownership.ts";
import { isWithin, resolveTrusted } from "./ownership.ts";
import type { ProblemCode } from "./problem.ts";
import { SDK_RUNTIME } from "./sdk-runtime.ts";
import type { TrustedText } from "./trusted-file.ts";
import { readTrusted } from "./trusted-file.ts";

/** What goes along with an error through esbuild. */
export interface ImportFault {
  readonly code: ProblemCode;
  readonly hint: string | undefined;
}

/** Which files one bundle may be made of, and which it was made of. */
export interface ImportScope {
  /** The policies folder, without links. */
  readonly root: string;
  readonly trust: Trust | undefined;
  /** Sources by path, filled while bundling. */
  readonly sources: Map<string, string>;
}

const SDK = "holdfast/sdk";
/** A namespace of our own: esbuild then reads no package.json or tsconfig.json on the way. */
export const POLICY_NAMESPACE = "policy";
const SDK_NAMESPACE = "holdfast";

/**
 * Lets a policy import the SDK and files in the policies folder, after their links are followed, and
 * nothing else.
 */
export const importsWithin = (scope: ImportScope): Plugin => ({
  name: "holdfast-imports",
  setup(build) {
    build.onResolve({ filter: /.*/ }, (request) => resolveImport(request, scope));
    build.onLoad({ filter: /.*/, namespace: SDK_NAMESPACE }, () => ({
      contents: SDK_RUNTIME,
      loader: "js",
    }));
    build.onLoad({ filter: /.*/, namespace: POLICY_NAMESPACE }, ({ path }) => load(path, scope));
  },
});

function resolveImport(request: OnResolveArgs, scope: ImportScope): OnResolveResult {
  if (request.kind === "entry-point") return { path: request.path, namespace: POLICY_NAMESPACE };
  if (request.path === SDK) return { path: SDK, namespace: SDK_NAMESPACE, sideEffects: false };
  const refusal = refusalOf(request);
  if (refusal !== undefined) return { errors: [refusal] };
  return resolveRelative(request, scope);
}

/** Why an import can be refused by its words alone. */
function refusalOf({ path, kind, with: attributes }: OnResolveArgs): PartialMessage | undefined {
  if (kind !== "import-statement" && kind !== "dynamic-import") {
    return fault(`${kind} is not for policies`, `write import { … } from "${path}"`);
  }
  if (path === `${SDK}/testing`) {
    return fault(`${path} is for tests only`, "import it in the policy's .test.ts file");
  }
  if (path.startsWith("holdfast")) {
    return fault(`${path} is not for policies`, `write import { definePolicy } from "${SDK}"`);
  }
  if (!path.startsWith("./") && !path.startsWith("../")) return foreign(path);
  if (Object.keys(attributes).length > 0 || path.endsWith(".json")) {
    return fault(
      "data files cannot be imported",
      "put the data into a .ts file: export const … = { … }",
    );
  }
  if (path.endsWith(".ts") && !path.endsWith(".d.ts")) return undefined;
  return fault(
    `an import names its file in full, and ${path} does not end in .ts`,
    `write "${path.replace(/(\.d)?\.[cm]?[jt]sx?$/, "")}.ts"`,
  );
}

function foreign(path: string): PartialMessage {
  if (path.startsWith("/") || path.startsWith("file:")) {
    return fault(
      `${path} is an absolute path`,
      "name the file relative to this one: ./shared/file.ts",
    );
  }
  if (path.startsWith("node:")) {
    return fault(
      `${path} is not there in the sandbox`,
      "ask for a permission, and use what ctx has: ctx.http, ctx.files, ctx.exec …",
    );
  }
  return fault(
    `${path} is a package, and policies have none`,
    "import the SDK and files of the policies folder; copy small things there",
  );
}

function resolveRelative(request: OnResolveArgs, { root }: ImportScope): OnResolveResult {
  const path = join(dirname(request.importer), request.path);
  if (!isWithin(root, path)) return outside(request.path, root);
  try {
    const real = resolveTrusted(path, undefined).path;
    if (isWithin(root, real)) return { path: real, namespace: POLICY_NAMESPACE };
    return outside(`${request.path} leads to ${real}, which`, root);
  } catch {
    return {
      errors: [fault(`there is no ${request.path}`, `create ${path}, or correct its name`)],
    };
  }
}

const outside = (what: string, root: string): OnResolveResult => ({
  errors: [fault(`${what} lies outside of the policies folder`, `copy the file into ${root}`)],
});

function load(path: string, { root, trust, sources }: ImportScope): OnLoadResult {
  const read = readTrusted(path, trust);
  if (!read.ok) return { errors: [message(read)] };
  // Trusted above, and still where it was when its import was allowed.
  if (!isWithin(root, read.path)) return outside(path, root);
  sources.set(path, read.text);
  return { contents: read.text, loader: "ts" };
}

const message = (read: Exclude<TrustedText, { ok: true }>): PartialMessage =>
  fault(read.message, read.hint, read.kind === "owner" ? "policy-owner" : "policy-unreadable");

function fault(
  text: string,
  hint: string | undefined,
  code: ProblemCode = "policy-import",
): PartialMessage {
  const detail: ImportFault = { code, hint };
  return { text, detail };
}
