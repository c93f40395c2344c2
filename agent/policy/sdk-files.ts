import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the SDK's sources lie: a package has them beside `dist`, a checkout two folders up from here. */
export function sdkDirectory(): string {
  const installed = join(import.meta.dirname, "..", "sdk");
  return existsSync(join(installed, "index.ts"))
    ? installed
    : join(import.meta.dirname, "..", "..", "sdk");
}

/** The SDK's sources: file name → text. */
export function sdkSources(): ReadonlyMap<string, string> {
  const directory = sdkDirectory();
  const names = readdirSync(directory).filter((name) => name.endsWith(".ts"));
  return new Map(names.map((name) => [name, readFileSync(join(directory, name), "utf8")]));
}
