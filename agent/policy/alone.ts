import { relative } from "node:path";
import type { ImportDeclaration, Program } from "acorn";
import type { BundleOutcome } from "./bundle.ts";
import { sizedBundle } from "./bundle.ts";
import { bundler } from "./bundler.ts";
import type { ImportScope } from "./imports.ts";
import type { ManifestOutcome } from "./manifest.ts";
import { manifestOf } from "./manifest.ts";
import { parsed } from "./stripped.ts";

/** A policy that was built from its one file. */
export interface Alone {
  readonly bundled: BundleOutcome;
  readonly read: ManifestOutcome;
}

/**
 * Builds a policy that imports nothing but `definePolicy`, as most do, without bundling, which takes
 * several times as long. `undefined`: it is another one, or something is to be said of it.
 */
export async function buildAlone(
  { path, text }: { readonly path: string; readonly text: string },
  { root }: ImportScope,
  file: string,
): Promise<Alone | undefined> {
  // A hint only: what the parser finds decides. It saves the others a transformation.
  if (text.split(/\bimport\b/).length > 2 || /\brequire\b/.test(text)) return undefined;
  const { transform } = await bundler();
  try {
    const { code, map, warnings } = await transform(text, {
      loader: "ts",
      target: "es2023",
      sourcefile: file,
      sourcemap: "external",
      sourcesContent: false,
      charset: "utf8",
      legalComments: "none",
      logLevel: "silent",
    });
    if (warnings.length > 0) return undefined;
    const program = parsed(code);
    const whole = withoutImport(code, program);
    if (whole === undefined) return undefined;
    const sourceMap = JSON.stringify({ ...JSON.parse(map), sources: [relative(root, path)] });
    const bundled = sizedBundle({ code: whole, sourceMap }, [], file);
    return { bundled, read: manifestOf(program, map, file) };
  } catch {
    // The bundler finds it too, and says where.
    return undefined;
  }
}

/** The SDK's one function in the place of its import; no line moves. */
function withoutImport(code: string, { body }: Program): string | undefined {
  const from = body.filter((node) => "source" in node && node.source != null);
  const [sdk] = from;
  if (sdk === undefined) return /\bimport\b/.test(code) ? undefined : code;
  const name = sdk.type === "ImportDeclaration" ? definePolicyIn(sdk) : undefined;
  if (from.length > 1 || name === undefined) return undefined;
  const [before, after] = [code.slice(0, sdk.start), code.slice(sdk.end)];
  // One that is computed, or `import.meta`: or a word in a text, and the bundler has it then.
  if (/\bimport\b/.test(before + after)) return undefined;
  return `${before}function ${name}(policy) { return policy; }${after}`;
}

/** What the file calls it. */
function definePolicyIn({ source, specifiers, loc }: ImportDeclaration): string | undefined {
  const [one, ...others] = specifiers;
  if (source.value !== "holdfast/sdk" || others.length > 0) return undefined;
  if (one?.type !== "ImportSpecifier" || loc?.start.line !== loc?.end.line) return undefined;
  const { imported, local } = one;
  return imported.type === "Identifier" && imported.name === "definePolicy"
    ? local.name
    : undefined;
}
