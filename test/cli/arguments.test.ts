import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OptionSpec } from "../../agent/cli/arguments.ts";
import { parseArguments, UsageError } from "../../agent/cli/arguments.ts";

const SPECS: readonly OptionSpec[] = [
  { name: "use-file", short: "f", value: { name: "FILE" } },
  { name: "config-test", short: "t", value: { name: "LOG", optional: true } },
  { name: "dont-fork", short: "n" },
  { name: "dont-respawn", short: "R" },
  { name: "log-detail", short: "D" },
  { name: "vrrp", short: "P" },
  { name: "vrrp_pid", short: "r", value: { name: "FILE" } },
];

const read = (line: string): object => {
  const { options, operands } = parseArguments(line === "" ? [] : line.split(" "), SPECS);
  return { ...Object.fromEntries(options), ...(operands.length === 0 ? {} : { operands }) };
};

describe("a command line is read as getopt_long does", () => {
  const cases: readonly (readonly [string, object])[] = [
    ["", {}],
    ["-n", { "dont-fork": true }],
    ["-nD", { "dont-fork": true, "log-detail": true }],
    ["-f x", { "use-file": "x" }],
    ["-fx", { "use-file": "x" }],
    ["-nfx", { "dont-fork": true, "use-file": "x" }],
    ["-nf x", { "dont-fork": true, "use-file": "x" }],
    ["--use-file x", { "use-file": "x" }],
    ["--use-file=x=y", { "use-file": "x=y" }],
    ["--use-file=", { "use-file": "" }],
    ["--use x", { "use-file": "x" }],
    ["--dont-f", { "dont-fork": true }],
    ["--vrrp", { vrrp: true }],
    ["-f -n", { "use-file": "-n" }],
    ["-f a -f b", { "use-file": "b" }],
    ["-t", { "config-test": true }],
    ["-t x", { "config-test": true, operands: ["x"] }],
    ["-tx", { "config-test": "x" }],
    ["--config-test=x", { "config-test": "x" }],
    ["--config-test x", { "config-test": true, operands: ["x"] }],
    ["a -n b", { "dont-fork": true, operands: ["a", "b"] }],
    ["-n -- -D --x", { "dont-fork": true, operands: ["-D", "--x"] }],
    ["-", { operands: ["-"] }],
  ];
  for (const [line, expected] of cases) {
    test(`holdfast ${line}`, () => assert.deepEqual(read(line), expected));
  }
});

describe("a command line that cannot be understood says why", () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ["--usefile x", "unknown option --usefile", "did you mean --use-file?"],
    ["--dnot-fork", "unknown option --dnot-fork", "did you mean --dont-fork?"],
    ["--zzz", "unknown option --zzz", undefined],
    ["-z", "unknown option -z", undefined],
    ["-nz", "unknown option -z in -nz", undefined],
    ["-log-detail", "unknown option -l in -log-detail", "did you mean --log-detail?"],
    ["-f", "-f needs a value (FILE)", undefined],
    ["--use-file", "--use-file needs a value (FILE)", undefined],
    ["--dont-fork=1", "--dont-fork takes no value", undefined],
    ["--dont", "--dont could be any of --dont-fork, --dont-respawn", undefined],
    ["--=x", "unknown option --", undefined],
  ];
  for (const [line, message, hint] of cases) {
    test(`holdfast ${line}`, () => {
      assert.throws(
        () => read(line),
        (error) => {
          assert.ok(error instanceof UsageError);
          assert.deepEqual([error.message, error.hint], [message, hint]);
          return true;
        },
      );
    });
  }
});
