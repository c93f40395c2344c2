import { globSync } from "node:fs";
import { join } from "node:path";
import { sourceName } from "./source-name.ts";
import { runFile } from "./test-process.ts";

// main.mjs FOLDER [NAME …]
//
// Runs the bundled tests of a folder, or those of them with such names, and writes a line of JSON for each that
// ended. What they write themselves goes to stderr, as stdout belongs to the results.

/** It takes ip_vs out of the kernel. */
const ALONE = ["ipvs-kernel.test.ts"];

/**
 * What they wait for is seconds in configuration files. There is one CPU: these run one after the other, the
 * longest first, beside those that work.
 */
const WAITING = [
  "users-lvs.test.ts",
  "directors-sync.test.ts",
  "balancing-keepalived.test.ts",
  "virtual-servers-page.test.ts",
];

async function runFiles(files: readonly string[]): Promise<void> {
  for (const file of files) {
    for (const result of await runFile(file)) process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

const [folder = ".", ...names] = process.argv.slice(2);
const files = new Map(
  globSync(join(folder, "*.test.mjs"))
    .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
    .sort()
    .map((file) => [sourceName(file), file] as const),
);
const take = (sources: readonly string[]): readonly string[] =>
  sources.flatMap((source) => files.get(source) ?? []);
const working = [...files.keys()].filter((name) => ![...ALONE, ...WAITING].includes(name));

await runFiles(take(ALONE));
await Promise.all([runFiles(take(WAITING)), runFiles(take(working))]);
