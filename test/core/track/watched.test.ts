import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileNumber } from "../../../agent/core/track/file-number.ts";
import type { ProcessPattern } from "../../../agent/core/track/process-match.ts";
import { matchesProcess } from "../../../agent/core/track/process-match.ts";

describe("the number of a file, as keepalived 2.2.7 reads it", () => {
  const table: readonly (readonly [string | undefined, number | undefined])[] = [
    ["5", 5],
    [" 5\n", 5],
    ["\n\t-3\n", -3],
    ["+3", 3],
    ["5abc", 5],
    ["3.9", 3],
    ["2\n3\n", 2],
    ["0x10", 16],
    ["-0x10", -16],
    ["0x", 0],
    ["010", 8],
    ["09", 0],
    ["-0", 0],
    ["abc", 0],
    ["", 0],
    ["- 5", 0],
    [undefined, 0],
    ["2147483647", 2_147_483_647],
    ["-2147483648", -2_147_483_648],
    ["2147483648", undefined],
    ["3000000000", undefined],
    ["-99999999999", undefined],
  ];
  for (const [content, value] of table) {
    test(JSON.stringify(content) ?? "no file", () =>
      assert.ok(Object.is(fileNumber(content), value)),
    );
  }
});

describe("a process, as keepalived 2.2.7 counts it", () => {
  const process = { comm: "pa", commandLine: ["/opt/bin/pa", "100", "200"] };
  const table: readonly (readonly [string, ProcessPattern["parameterMatch"], boolean, boolean])[] =
    [
      // program and parameters, match, full_command: counted
      ["pa", "none", false, true],
      ["/opt/bin/pa", "none", false, false],
      ["/opt/bin/pa", "none", true, true],
      ["pa", "none", true, false],
      ["p", "none", false, false],
      ["/opt/bin/pa 100 200", "exact", false, true],
      ["/opt/bin/pa 100", "exact", false, false],
      ["/opt/bin/pa 100 200 300", "exact", false, false],
      ["pa 100 200", "exact", false, false],
      ["/opt/bin/pa 100", "initial", false, true],
      ["/opt/bin/pa 10", "initial", false, true],
      ["/opt/bin/pa 100 2", "initial", false, true],
      ["/opt/bin/pa 1 2", "initial", false, false],
      ["/opt/bin/pa 100 200 300", "initial", false, false],
      ["/opt/bin/pa 100", "partial", false, true],
      ["/opt/bin/pa 100 200", "partial", false, true],
      ["/opt/bin/pa 10", "partial", false, false],
      ["/opt/bin/pa 100 2", "partial", false, false],
      ["/opt/bin/pa 200", "partial", false, false],
      ["/opt/bin/pa 100 200 300", "partial", false, false],
    ];
  for (const [command, parameterMatch, fullCommand, counted] of table) {
    test(`${command}, ${parameterMatch}${fullCommand ? ", full_command" : ""}`, () => {
      const [program = "", ...parameters] = command.split(" ");
      const pattern = { program, parameters, parameterMatch, fullCommand };
      assert.equal(matchesProcess(pattern, process), counted);
    });
  }

  test("of the kernel has no command", () => {
    const pattern = { program: "kswapd0", parameters: [], parameterMatch: "none" } as const;
    const kernel = { comm: "kswapd0", commandLine: [] };
    assert.equal(matchesProcess({ ...pattern, fullCommand: false }, kernel), true);
    assert.equal(matchesProcess({ ...pattern, fullCommand: true }, kernel), false);
  });
});
