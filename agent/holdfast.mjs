#!/usr/bin/env node
// The one file that any Node must be able to read: plain JavaScript. It finds the program (TypeScript
// sources in a checkout, the bundle in an installed package), a Node that can run it, and, in a fresh
// clone, the dependencies. When all is in place it only imports.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));

/** A checkout prefers its sources: a bundle that a build left there may be out of date. */
const sources = join(root, "agent", "main.ts");
const fromSources = existsSync(sources);
const program = fromSources ? sources : join(root, "dist", "main.js");

/** What the bundle is made for; sources find a Node of their own (see setup.mjs). */
const OLDEST = 22;

if (fromSources) await startFromSources();
else if (Number.parseInt(process.versions.node, 10) >= OLDEST) await importProgram();
else fail(`it needs Node ${OLDEST} or newer, and this is ${process.version}; install one`);

async function startFromSources() {
  const setup = await import("./setup.mjs");
  const problem = setup.installDependencies();
  if (problem !== undefined) fail(problem);
  else if (setup.nodeIsRecent()) await importProgram();
  else runUnder(setup.nodeBinary());
}

async function importProgram() {
  const cache = compileCacheDirectory();
  module.enableCompileCache?.(cache);
  // For the processes that the agent starts of itself.
  process.env.NODE_COMPILE_CACHE = cache;
  await import(program);
}

/** Never Node's default below /tmp: compiled code that root runs must not lie where others write. */
function compileCacheDirectory() {
  if (fromSources) return join(root, "node_modules", ".cache", "holdfast");
  if (process.getuid?.() === 0) return "/var/cache/holdfast";
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "holdfast");
}

/** Runs the same command line under another Node; signals go there, its end becomes ours. */
function runUnder(node) {
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT", "SIGUSR1", "SIGUSR2"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => fail(`${node} could not be started: ${error.message}; run npm ci`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(problem) {
  process.stderr.write(`holdfast: ${problem}\n`);
  process.exit(1);
}
