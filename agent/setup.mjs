// What a fresh clone needs before any TypeScript can run. Plain JavaScript, as the Node that finds
// it may be too old to strip types.
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The oldest Node that runs TypeScript sources without a flag. */
const OLDEST = [22, 18];

/** Whether this process's Node can run the sources itself. */
export function nodeIsRecent(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** The Node to run the sources with: this one, or the one among the development dependencies. */
export function nodeBinary() {
  return nodeIsRecent() ? process.execPath : join(root, "node_modules/node/bin/node");
}

/** Whether node_modules is missing or older than the lock file. */
export function dependenciesAreStale() {
  const marker = join(root, "node_modules/.package-lock.json");
  if (!existsSync(marker) || !existsSync(nodeBinary())) return true;
  return statSync(marker).mtimeMs < statSync(join(root, "package-lock.json")).mtimeMs;
}

/** A link leads to another checkout's folder, which npm ci would empty first. */
const isLinked = () =>
  lstatSync(join(root, "node_modules"), { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

/**
 * Installs the dependencies if they are missing or stale. Answers undefined, or in one line why it
 * failed and what to do.
 */
export function installDependencies() {
  if (!dependenciesAreStale()) return undefined;
  if (isLinked()) {
    if (existsSync(nodeBinary())) return undefined;
    return "node_modules is a link to a folder without the dependencies; run npm ci where it leads";
  }
  process.stderr.write("holdfast: installing dependencies (npm ci) …\n");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  if (npm.error) return `npm cannot be run (${npm.error.message}); install Node.js with npm`;
  if (npm.status !== 0) {
    return `npm ci failed:\n${npm.stderr.split("\n").slice(0, 12).join("\n")}`;
  }
  if (!existsSync(nodeBinary())) {
    return "npm did not install the package `node`; install Node 22.18 or newer instead";
  }
  return undefined;
}
