import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { UsageError } from "../arguments.ts";
import type { CommandContext } from "../command.ts";
import { EXIT } from "../exit-status.ts";
import { policiesDirectory } from "./policies.ts";

const SUFFIX = ".test.ts";

/** Runs the tests beside policies, in virtual time. */
export async function testPolicies(context: CommandContext): Promise<number> {
  const { terminal, host } = context;
  const { operands } = context.arguments;
  const directory = policiesDirectory(context.arguments);
  const files = operands.length === 0 ? testsIn(directory) : operands.map(testOf);
  if (files.length === 0) {
    terminal.out(`no tests in ${directory}; holdfast policy new NAME writes one with its policy\n`);
    return EXIT.ok;
  }
  const { out, err } = terminal;
  const passed = await host.runPolicyTests({ files, out, err });
  return passed ? EXIT.ok : EXIT.failed;
}

function testsIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith(SUFFIX));
  return names.sort().map((name) => join(directory, name));
}

/** A test as it is named, or that of a policy: `nginx.test.ts` for `nginx.ts`. */
function testOf(operand: string): string {
  const test = resolve(operand.endsWith(SUFFIX) ? operand : operand.replace(/\.ts$/, SUFFIX));
  if (!test.endsWith(SUFFIX)) {
    throw new UsageError(`${operand} is neither a policy nor a test`, "name a .ts file");
  }
  if (existsSync(test)) return test;
  throw new UsageError(
    `there is no test ${test}`,
    "holdfast policy new NAME shows how one is written",
  );
}
