import { registerHooks } from "node:module";
import { basename, relative } from "node:path";
import process from "node:process";
import type { EventData } from "node:test";
import { run } from "node:test";
import type { Simulation } from "../../sdk/testing.ts";
import { onSimulation } from "./simulate.ts";

// Entry of the process that `holdfast policy test` starts: runs the test files that it is told, all in
// this process, as each needs the engine. Tests lie beside their policies, where no package is
// installed: what they import of Holdfast is found here.

const fromSources = import.meta.filename.endsWith(".ts");
const here = (path: string): string => new URL(path, import.meta.url).href;
const MODULES: ReadonlyMap<string, string> = new Map([
  ["holdfast/sdk", here(fromSources ? "../../sdk/index.ts" : "./sdk/index.js")],
  ["holdfast/sdk/testing", here(fromSources ? "./testing.ts" : "./sdk/testing.js")],
]);

registerHooks({
  resolve(name, context, next) {
    const url = MODULES.get(name);
    return url === undefined ? next(name, context) : { url, shortCircuit: true };
  },
});

const MOST_MISTAKES = 5;

const files = process.argv.slice(2);
/** Of the test that runs. */
const simulations: Simulation[] = [];
onSimulation((simulation) => simulations.push(simulation));
const counts = { passed: 0, failed: 0, skipped: 0 };
let shownFile = "";

const out = (line: string): void => void process.stdout.write(`${line}\n`);
const indent = (text: string, by: string): string => text.replace(/^(?=.)/gm, by);

/** What one test came to; that a suite or a file ended says nothing of its own. */
function show(ok: boolean, test: EventData.TestPass | EventData.TestFail): void {
  const { name, file, nesting, details, skip, todo } = test;
  if (details.type === "suite" && (ok || causeOf(test) === undefined)) return;
  const mistakes = simulations.splice(0).flatMap(mistakesIn);
  if (file !== undefined && file !== shownFile) {
    shownFile = file;
    const near = relative(process.cwd(), file);
    out(near.startsWith("..") ? file : near);
  }
  const left = "  ".repeat(nesting + 1);
  if (skip !== undefined || todo !== undefined) {
    counts.skipped += 1;
    out(`${left}- ${name}${typeof skip === "string" ? ` (${skip})` : ""}`);
    return;
  }
  counts[ok ? "passed" : "failed"] += 1;
  out(`${left}${ok ? "✓" : "✗"} ${name} (${Math.round(details.duration_ms)} ms)`);
  if (!ok)
    out(indent([faultText(test), ...mistakes.slice(0, MOST_MISTAKES)].join("\n"), `${left}    `));
}

/** What the policy did wrong may be why a test fails that asks for something else. */
function mistakesIn(simulation: Simulation): readonly string[] {
  try {
    const lines = simulation.errors.map(
      ({ where, message, stack }) =>
        `${where}: ${stack[0] === undefined ? "" : `${stack[0]}: `}${message}`,
    );
    return [...new Set(lines)];
  } catch {
    // Its time is passing: the test did not wait for it, and says so itself.
    return [];
  }
}

/** What was thrown; `undefined`: only what is in it failed. */
function causeOf(test: EventData.TestPass | EventData.TestFail): unknown {
  if (!("error" in test.details)) return undefined;
  const { error } = test.details;
  if ("failureType" in error && error.failureType === "subtestsFailed") return undefined;
  return error.cause ?? error;
}

/** What went wrong, and where in the author's files: frames of Node and of Holdfast help nobody. */
function faultText(test: EventData.TestFail | EventData.TestPass): string {
  const cause = causeOf(test);
  if (!(cause instanceof Error)) return String(cause);
  const places = (cause.stack ?? "")
    .split("\n")
    .filter((line) => files.some((file) => line.includes(file)))
    .map((line) => line.trim());
  return [cause.message.trim(), ...places].join("\n");
}

const stream = run({ files, isolation: "none", concurrency: false });
stream.on("test:pass", (test) => show(true, test));
stream.on("test:fail", (test) => show(false, test));
stream.on("end", () => {
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  const fileNames = files.length === 1 ? basename(files[0] ?? "") : `${files.length} files`;
  out(`${fileNames}: ${counts.passed} passed, ${counts.failed} failed${skipped}`);
  process.exitCode = counts.failed > 0 || counts.passed + counts.skipped === 0 ? 1 : 0;
});
stream.resume();
