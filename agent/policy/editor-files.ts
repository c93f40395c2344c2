import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMPILER_OPTIONS, sdkPaths } from "./compiler-options.ts";
import { sdkSources } from "./sdk-files.ts";

/** Folder in the policies folder that holds what editors need: a copy of the SDK. */
export const EDITOR_FOLDER = ".holdfast";

/** The words of Node that tests of policies use, so that no other package is needed. */
const NODE_TYPES = `declare module "node:test" {
  export function test(name: string, run: () => void | Promise<void>): Promise<void>;
  export function describe(name: string, run: () => void): Promise<void>;
  export function before(run: () => void | Promise<void>): void;
  export function after(run: () => void | Promise<void>): void;
  export function beforeEach(run: () => void | Promise<void>): void;
  export function afterEach(run: () => void | Promise<void>): void;
}

declare module "node:assert/strict" {
  interface Assert {
    (value: unknown, message?: string): asserts value;
    ok(value: unknown, message?: string): asserts value;
    equal<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
    notEqual(actual: unknown, expected: unknown, message?: string): void;
    deepEqual<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
    match(text: string, pattern: RegExp, message?: string): void;
    doesNotMatch(text: string, pattern: RegExp, message?: string): void;
    rejects(run: Promise<unknown> | (() => Promise<unknown>), error?: RegExp): Promise<void>;
    fail(message?: string): never;
  }
  const assert: Assert;
  export default assert;
}
`;

const TSCONFIG = {
  compilerOptions: { ...COMPILER_OPTIONS, paths: sdkPaths(`./${EDITOR_FOLDER}/sdk`) },
  include: ["**/*.ts", `${EDITOR_FOLDER}/node.d.ts`],
};

/**
 * Puts what editors need into a policies folder: a copy of the SDK that is renewed when it differs, and a
 * tsconfig.json where there is none. Answers the paths that were written. Throws the error of the file
 * system.
 */
export function writeEditorFiles(directory: string): readonly string[] {
  const folder = join(directory, EDITOR_FOLDER);
  const sdk = join(folder, "sdk");
  mkdirSync(sdk, { recursive: true, mode: 0o755 });
  const sources = sdkSources();
  const wanted = new Map([...sources].map(([name, text]) => [join(sdk, name), text]));
  wanted.set(join(folder, "node.d.ts"), NODE_TYPES);
  const written: string[] = [];
  for (const [path, text] of wanted) {
    if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
    writeFileSync(path, text, { mode: 0o644 });
    written.push(path);
  }
  for (const name of readdirSync(sdk)) if (!sources.has(name)) rmSync(join(sdk, name));
  const tsconfig = join(directory, "tsconfig.json");
  if (!existsSync(tsconfig)) {
    writeFileSync(tsconfig, `${JSON.stringify(TSCONFIG, null, 2)}\n`, { mode: 0o644 });
    written.push(tsconfig);
  }
  return written;
}
