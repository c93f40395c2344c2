import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { DEFAULTS } from "../../agent/config/defaults.ts";
import { DEFAULT_WATCH } from "../../agent/runtime/watch.ts";
import { diagnosticsPage } from "./diagnostics-page.ts";
import { SECTIONS, withSections } from "./sections.ts";

test("docs/diagnostics.md is the table of codes", () => {
  assert.equal(readFileSync("docs/diagnostics.md", "utf8"), diagnosticsPage(), "npm run docs");
});

for (const page of Object.keys(SECTIONS)) {
  test(`${page}: what it has from the sources is what they say`, () => {
    assert.equal(readFileSync(page, "utf8"), withSections(page), "npm run docs");
  });
}

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

test("the unit waits longer than a graceful stop takes, and beats in time", () => {
  const unit = readFileSync("docs/holdfast.service", "utf8");
  const seconds = (key: string): number =>
    Number(new RegExp(`^${key}=([0-9]+)$`, "m").exec(unit)?.[1]);
  assert.match(unit, /^Type=notify$/m);
  assert.match(unit, /^Restart=always$/m);
  assert.ok(seconds("TimeoutStopSec") > DEFAULTS.childWaitTime / 1e6);
  const starts = DEFAULT_WATCH.startMs.reduce((sum, each) => sum + each, 0);
  assert.ok(seconds("TimeoutStartSec") * 1_000 > starts);
  // A process that hangs is found and replaced before the manager takes all of them down.
  assert.ok(seconds("WatchdogSec") * 1_000 > 2 * DEFAULT_WATCH.stallMs);
});

test("the figures of the README are rows of the results", () => {
  const results = readFileSync("test/bench/RESULTS.md", "utf8").split("\n");
  const [, section = ""] = readFileSync("README.md", "utf8").split("## Measured");
  const rows = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("|"));
  assert.ok(rows.length > 5);
  assert.deepEqual(
    rows.filter((row) => !results.includes(row)),
    [],
    "copy the rows anew from test/bench/RESULTS.md",
  );
});
