import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { diagnose, diagnosticCodes } from "../../agent/config/diagnostic-codes.ts";
import { formatDiagnostic } from "../../agent/config/format-diagnostic.ts";

const root = new URL("../../", import.meta.url).pathname;

test("the table of codes is sorted and complete, and every code is used", () => {
  const codes = Object.keys(diagnosticCodes);
  assert.deepEqual(codes, codes.toSorted());
  const source = globSync("agent/{cli,config,policy}/**/*.ts", { cwd: root })
    .filter((file) => !file.endsWith("diagnostic-codes.ts"))
    .map((file) => readFileSync(root + file, "utf8"))
    .join("\n");
  for (const [code, entry] of Object.entries(diagnosticCodes)) {
    assert.match(code, /^[a-z]+(-[a-z]+)*$/);
    for (const text of [entry.summary, entry.remedy, entry.effect]) assert.notEqual(text, "", code);
    assert.ok(source.includes(`"${code}"`), `nothing reports ${code}`);
  }
});

test("a finding is shown as compilers do", () => {
  const position = { file: "k.conf", line: 12, column: 4 };
  const found = diagnose(
    "keyword-unknown",
    position,
    "priorty",
    "priorty is no keyword",
    'did you mean "priority"?',
  );
  assert.equal(
    formatDiagnostic(found, "\t\t priorty 100"),
    [
      "k.conf:12:4: warning[keyword-unknown]: priorty is no keyword",
      " 12 | \t\t priorty 100",
      "    | \t\t ^^^^^^^",
      "  effect: The line is ignored.",
      '  hint: did you mean "priority"?',
    ].join("\n"),
  );
  assert.equal(
    formatDiagnostic({ ...found, hint: undefined }),
    [
      "k.conf:12:4: warning[keyword-unknown]: priorty is no keyword",
      "  text: priorty",
      "  effect: The line is ignored.",
      "  hint: Correct or remove it.",
    ].join("\n"),
  );
});

test("text that came from a definition is shown besides the line", () => {
  const found = diagnose("value-invalid", { file: "f", line: 1, column: 10 }, "300", "too large");
  const shown = formatDiagnostic(found, "priority $PRIO");
  assert.match(shown, /\| priority \$PRIO\n {3}\| {10}\^\n {2}text: 300\n/);
});

test("what a file contains cannot steer the terminal", () => {
  const found = diagnose(
    "keyword-unknown",
    { file: "f", line: 1, column: 1 },
    "\x1b[2J",
    "\x1b[2J is no keyword",
  );
  assert.doesNotMatch(
    formatDiagnostic(found, "\x1b[2J\u202e").replaceAll("\n", ""),
    /[\p{Cc}\u202e]/u,
  );
  assert.doesNotMatch(formatDiagnostic(found).replaceAll("\n", ""), /\p{Cc}/u);
});

test("long lines are shortened around the text", () => {
  const source = `${"x".repeat(500)} here ${"y".repeat(500)}`;
  const found = diagnose(
    "keyword-unknown",
    { file: "f", line: 1, column: 502 },
    "here",
    "no keyword",
  );
  const lines = formatDiagnostic(found, source).split("\n");
  assert.ok((lines[1] ?? "").length < 200);
  const column = (lines[2] ?? "").indexOf("^");
  assert.equal((lines[1] ?? "").slice(column, column + 4), "here");
});
