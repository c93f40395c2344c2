// Plain JavaScript, as it runs before anything else can. Node strips the types of .ts files each time
// that it loads them, and loading the stripper alone takes longer than all of the agent's code: this
// keeps what was stripped, below node_modules. Without a place to write, Node does as it always does.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import module from "node:module";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const directory = join(root, "node_modules", ".cache", "holdfast", "stripped");

if (typeof module.registerHooks === "function") {
  module.registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith("file:") || !url.endsWith(".ts")) return nextLoad(url, context);
      const path = fileURLToPath(url);
      if (!path.startsWith(root)) return nextLoad(url, context);
      return { format: "module", source: stripped(path), shortCircuit: true };
    },
  });
}

function stripped(path) {
  const { mtimeMs, size } = statSync(path);
  // At the end, where it moves no line.
  const seal = `\n//# ${process.version} ${size} ${mtimeMs}\n`;
  const kept = join(directory, `${path.slice(root.length).replaceAll("/", "%")}.js`);
  const known = read(kept);
  if (known?.endsWith(seal)) return known;
  const source = strip(readFileSync(path, "utf8")) + seal;
  keep(kept, source);
  return source;
}

/** Only positions are kept as they are, so stack traces need no maps. */
function strip(text) {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return module.stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Another process may do the same at the same time: each writes its own file first. */
function keep(path, source) {
  try {
    mkdirSync(directory, { recursive: true });
    const fresh = `${path}.${process.pid}`;
    writeFileSync(fresh, source);
    renameSync(fresh, path);
  } catch {
    // A checkout that this user may not write.
  }
}
