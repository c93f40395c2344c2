import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { loadConfig } from "../../agent/config/load.ts";
import { memoryHost } from "../config/language/memory-host.ts";
import { codeBlocks } from "./code-blocks.ts";

// What docs/what-happens-when.md has besides the lines that test/lab/what-happens.test.ts compares.

const PAGE = "docs/what-happens-when.md";
const page = readFileSync(PAGE, "utf8");
const files = codeBlocks(PAGE).filter(({ file }) => file !== undefined);
const CONFIG = "/etc/keepalived/keepalived.conf";
const SETTINGS = "/etc/holdfast/holdfast.conf";

test("the files to begin with are accepted, each of holdfast.conf with the one of keepalived.conf", () => {
  const config = files.find(({ file }) => file === CONFIG);
  const settings = files.filter(({ file }) => file === SETTINGS);
  assert.ok(config !== undefined);
  assert.equal(settings.length, 2);
  for (const { text } of settings) {
    const host = memoryHost({ [CONFIG]: config.text, [SETTINGS]: text });
    const request = { file: CONFIG, text: config.text };
    const { diagnostics } = loadConfig(request, host, {
      settingsFile: SETTINGS,
      includesMustExist: true,
    });
    assert.deepEqual(diagnostics, []);
  }
});

test("words in boxes are those of the sources", () => {
  const sources = globSync("agent/**/*.ts").map((file) => readFileSync(file, "utf8"));
  const lines = codeBlocks(PAGE)
    .filter(({ language }) => language === "words")
    .flatMap(({ text }) => text.trim().split("\n"));
  assert.ok(lines.length > 1);
  assert.deepEqual(
    lines.filter((line) => !sources.some((text) => text.includes(line))),
    [],
  );
});

test("what it refers to in itself is there", () => {
  const anchors = [...page.matchAll(/^## (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
  const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, to = ""]) => to);
  assert.ok(links.length > 15);
  assert.deepEqual(
    links.filter((to) => !anchors.includes(to)),
    [],
  );
});
