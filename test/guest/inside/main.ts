import { once } from "node:events";
import { globSync } from "node:fs";
import { join, relative } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";
import type { GuestResult } from "../guest-result.ts";

// Runs the tests of this folder, and writes a line of JSON for each that ended. There is one CPU: only
// files that mostly wait run beside each other.
// What they write themselves goes to stderr, as stdout belongs to the results.

const trails = new Map<string, string[]>();
const nameOf = (file: string | undefined): string => relative(import.meta.dirname, file ?? "?");

/** The suites around a test and its own name, the file's name first. */
function titleOf(file: string | undefined, nesting: number, name: string): string {
  const trail = (trails.get(nameOf(file)) ?? []).slice(0, nesting);
  const own = nameOf(file);
  // What fails as a whole is named by its path.
  return [own, ...trail, ...(name.endsWith(own) ? [] : [name])].join(" › ");
}

function tell(result: GuestResult): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** What they wait for is seconds in configuration files. */
const WAITING = /\/(directors-sync|users-lvs|virtual-servers-page)\.test\.ts$/;

async function runFiles(files: readonly string[], concurrency: number): Promise<void> {
  const stream = run({ files, concurrency })
    .on("test:start", ({ file, nesting, name }) => {
      const trail = trails.get(nameOf(file)) ?? [];
      trail.length = nesting;
      trail.push(name);
      trails.set(nameOf(file), trail);
    })
    .on("test:pass", ({ file, nesting, name, skip, todo, details }) => {
      if (details.type === "suite") return;
      const left = skip ?? todo;
      const skipped = left === undefined ? undefined : String(left);
      tell({ title: titleOf(file, nesting, name), skipped, failure: undefined });
    })
    .on("test:fail", ({ file, nesting, name, details: { error } }) => {
      if ("failureType" in error && error.failureType === "subtestsFailed") return;
      const cause: unknown = error.cause ?? error;
      const failure = typeof cause === "string" ? cause : inspect(cause);
      tell({ title: titleOf(file, nesting, name), skipped: undefined, failure });
    })
    .on("test:stdout", ({ message }) => process.stderr.write(message))
    .on("test:stderr", ({ message }) => process.stderr.write(message))
    .resume();
  await once(stream, "end");
}

const all = globSync(join(import.meta.dirname, "*.test.ts")).sort();
await runFiles(
  all.filter((file) => !WAITING.test(file)),
  1,
);
await runFiles(
  all.filter((file) => WAITING.test(file)),
  2,
);
