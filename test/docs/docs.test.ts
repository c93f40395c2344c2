import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { diagnosticsPage } from "./diagnostics-page.ts";

test("docs/diagnostics.md is the table of codes", () => {
  assert.equal(readFileSync("docs/diagnostics.md", "utf8"), diagnosticsPage(), "npm run docs");
});

for (const page of ["README.md", "ARCHITECTURE.md", "STYLE.md", ...globSync("docs/*.md")]) {
  test(`${page}: every file that it links or names exists`, () => {
    const text = readFileSync(page, "utf8");
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, to = ""]) =>
      join(dirname(page), to),
    );
    const named = [...text.matchAll(/`((?:agent|test|docs)\/[\w./-]+)`/g)].map(([, to = ""]) => to);
    assert.deepEqual(
      [...links, ...named].filter((path) => !existsSync(path)),
      [],
    );
  });
}
