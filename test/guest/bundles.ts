import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { build } from "esbuild";

const ROOT = join(import.meta.dirname, "../..");

/** What a source says of its own place stays true in a bundle: it looks for files and programs beside itself. */
const placed: Plugin = {
  name: "placed",
  setup(building) {
    building.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      loader: "ts",
      contents: readFileSync(path, "utf8")
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)))
        .replaceAll("import.meta.filename", JSON.stringify(path))
        .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
    }));
  },
};

/**
 * Makes one file of each of these sources, in this folder: in the guest a module costs ten milliseconds, and
 * some tests have three hundred. Each keeps its name, but ends in .mjs.
 */
export async function bundle(sources: readonly string[], folder: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: [...sources],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    plugins: [placed],
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node22",
    format: "esm",
    sourcemap: "external",
    legalComments: "none",
    logLevel: "error",
  });
}

/** A stack in which the places in such files are those in their sources. */
export function inSources(stack: string): string {
  return stack.replaceAll(/file:\/\/(\/\S+\.mjs):(\d+):(\d+)/g, (place, path, line, column) => {
    if (!existsSync(`${path}.map`)) return place;
    const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, "utf8")));
    const found = map.findEntry(Number(line) - 1, Number(column) - 1);
    if (!("originalSource" in found)) return place;
    const { originalSource, originalLine, originalColumn } = found;
    return `${join(dirname(path), originalSource)}:${originalLine + 1}:${originalColumn + 1}`;
  });
}
