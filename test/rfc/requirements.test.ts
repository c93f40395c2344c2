import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Excuse, Proof } from "./requirement.ts";
import { RFC3768 } from "./rfc3768.ts";
import { RFC9568 } from "./rfc9568.ts";

const ROOT = join(import.meta.dirname, "..");
const REQUIREMENTS = [...RFC9568, ...RFC3768];
const ID = /^RFC(?:9568|3768)-[1-9](?:\.[0-9]+)*\/[1-9][0-9]*$/;

const texts = new Map<string, string>();
const textOf = (file: string): string => {
  const known = texts.get(file) ?? readFileSync(join(ROOT, file), "utf8");
  texts.set(file, known);
  return known;
};

/** Titles of tests that carry the tag. */
const titles = (file: string, id: string): readonly string[] =>
  textOf(file)
    .split("\n")
    .filter((line) => line.includes(`[${id}]`));

function check(id: string, verdict: "accepted" | "rejected", how: Proof | Excuse): void {
  if ("reason" in how) {
    assert.ok(how.reason.length >= 40, "a reason is a sentence");
    for (const [file] of how.reason.matchAll(/[a-z/-]+\.test\.ts/g)) textOf(file);
    return;
  }
  const found = titles(how.file, id).filter((line) => line.includes(`${verdict}:`));
  assert.equal(found.length, 1, `test/${how.file} has one test "${verdict}: … [${id}]"`);
}

describe("each MUST and MUST NOT is tested both ways, or excused", () => {
  for (const { id, level, says, accepted, rejected } of REQUIREMENTS) {
    test(`${id} ${level}: ${says}`, () => {
      assert.match(id, ID);
      check(id, "accepted", accepted);
      check(id, "rejected", rejected);
    });
  }
});

test("no requirement is listed twice, and sections are in order", () => {
  const ids = REQUIREMENTS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const collator = new Intl.Collator("en", { numeric: true });
  for (const list of [RFC9568, RFC3768]) {
    const own = list.map(({ id }) => id);
    assert.deepEqual(own, [...own].sort(collator.compare));
  }
});

test("every numbered tag in a test is a requirement, and every other names a section", () => {
  const known = new Set<string>(REQUIREMENTS.map(({ id }) => id));
  const tag = /\[(RFC(?:9568|3768)-[^\]$]+)\]/g;
  for (const file of globSync("**/*.test.ts", { cwd: ROOT })) {
    for (const [, id = ""] of textOf(file).matchAll(tag)) {
      if (id.includes("/")) assert.ok(known.has(id), `${file}: [${id}] is not in the table`);
      else assert.match(id, /-(?:E[0-9]{4}|[1-9](?:\.[0-9]+)*)$/, `${file}: [${id}]`);
    }
  }
});
