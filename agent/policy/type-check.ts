import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Diagnostic } from "../config/diagnostic.ts";
import { COMPILER_OPTIONS, sdkPaths } from "./compiler-options.ts";
import { fileStart, problem } from "./problem.ts";
import { sdkDirectory } from "./sdk-files.ts";

export interface TypeCheckRequest {
  /** Where the compiler runs; findings of other files are shown as they are imported. */
  readonly directory: string;
  /** Absolute paths. */
  readonly files: readonly string[];
}

/** The compiler cannot be run. */
export class TypeCheckError extends Error {
  override readonly name = "TypeCheckError";
  readonly code = "type-check";
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}

const REINSTALL = "install the package again, with its optional dependencies (npm install)";
/** Enough for ten thousand findings. */
const MOST_OUTPUT = 4 * 1024 * 1024;
const PATIENCE_MS = 60_000;
/** Each learns the language's own types anew: more of them take longer, as policies are small. */
const CHECKERS = "2";

/**
 * Checks the types of policies with the native compiler: about 20 ms for one file, 80 ms for a hundred.
 * Throws a TypeCheckError when the compiler cannot be run.
 */
export async function checkTypes(request: TypeCheckRequest): Promise<readonly Diagnostic[]> {
  if (request.files.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), "holdfast-types-"));
  try {
    const config = join(folder, "tsconfig.json");
    const options = { ...COMPILER_OPTIONS, paths: sdkPaths(sdkDirectory()) };
    writeFileSync(config, JSON.stringify({ compilerOptions: options, files: request.files }));
    const words = ["-p", config, "--pretty", "false", "--checkers", CHECKERS];
    const output = await runCompiler(words, request.directory);
    return readFindings(output, request.directory);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The program itself: its launcher would start a Node first, which takes three times as long. */
function compilerPath(): string {
  const platform = `@typescript/typescript-${process.platform}-${process.arch}/package.json`;
  try {
    const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
    const path = join(dirname(createRequire(typescript).resolve(platform)), "lib", "tsc");
    if (existsSync(path)) return path;
  } catch {
    // Said below.
  }
  throw new TypeCheckError("the TypeScript compiler is not installed", REINSTALL);
}

function runCompiler(words: readonly string[], directory: string): Promise<string> {
  const program = compilerPath();
  const options = {
    cwd: directory,
    maxBuffer: MOST_OUTPUT,
    timeout: PATIENCE_MS,
    // Its life is short: it collects garbage only where there is very much.
    env: { ...process.env, GOGC: "off", GOMEMLIMIT: "512MiB" },
  };
  return new Promise((done, failed) => {
    execFile(program, [...words], options, (error, output) => {
      // Status 1 and 2: it found something.
      if (error === null || typeof error.code === "number") done(output);
      else failed(new TypeCheckError(`${program} cannot be run (${error.message})`, REINSTALL));
    });
  });
}

const FINDING = /^(?:(.+?)\((\d+),(\d+)\): )?(error|warning) (TS\d+): (.*)$/;

/** Reads what the compiler prints without colours: a line for each finding, more of it indented. */
export function readFindings(output: string, directory: string): readonly Diagnostic[] {
  const findings: Diagnostic[] = [];
  for (const line of output.split("\n")) {
    const parts = FINDING.exec(line);
    const last = findings.at(-1);
    if (parts !== null) findings.push(finding(parts, directory));
    else if (last !== undefined && /^\s+\S/.test(line)) {
      // Each further line explains the one before: the last says what it comes down to.
      findings[findings.length - 1] = { ...last, hint: line.trim() };
    }
  }
  return findings;
}

function finding(parts: RegExpExecArray, directory: string): Diagnostic {
  const [, file, line, column, , code = "", message = ""] = parts;
  const position =
    file === undefined
      ? fileStart(directory)
      : { file: resolve(directory, file), line: Number(line), column: Number(column) };
  return problem("policy-type", position, { message: `${message} (${code})` });
}
