import { spawn } from "node:child_process";
import { once } from "node:events";
import module from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

export interface PolicyTestRequest {
  /** Absolute paths. */
  readonly files: readonly string[];
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Tests of policies cannot be run here. */
class TestsNotRun extends Error {
  override readonly name = "TestsNotRun";
  readonly code = "tests-not-run";
  readonly remedy = "install Node 22.15 or newer";
}

/** From sources it is a file of the sources; a build has it as one file of its own. */
const ENTRY = new URL(
  import.meta.url.endsWith(".ts") ? "policy-tests.ts" : "policy-tests.js",
  import.meta.url,
);

/** A Node since 22.18 needs neither of them; none minds. */
const ARGUMENTS = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

/**
 * Runs test files of policies in a process of their own. Answers whether all of them passed. Throws a
 * TestsNotRun where this Node is too old.
 */
export async function runPolicyTests({ files, out, err }: PolicyTestRequest): Promise<boolean> {
  if (!("registerHooks" in module)) {
    throw new TestsNotRun(`tests of policies need a newer Node than ${process.version}`);
  }
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [...ARGUMENTS, fileURLToPath(ENTRY), ...files], {
    stdio: ["ignore", "pipe", "pipe"],
    env,
  });
  child.stdout.setEncoding("utf8").on("data", out);
  child.stderr.setEncoding("utf8").on("data", err);
  const [status] = await once(child, "close");
  return status === 0;
}
