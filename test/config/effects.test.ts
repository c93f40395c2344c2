import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { keywordTable } from "../../agent/config/keepalived/keyword-table.ts";
import { EFFECTS, PLACES } from "./effects.ts";
import { BALANCING_PATHS } from "./effects-balancing.ts";

const texts = new Map<string, string>();

function text(path: string): string {
  const known = texts.get(path) ?? readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  texts.set(path, known);
  return known;
}

/** Without comments: speaking of a thing is not doing it. */
const code = (path: string): string =>
  text(path)
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/(^|\s)\/\/.*$/gm, "");

const has = (source: string, word: string): boolean => new RegExp(`\\b${word}\\b`).test(source);

/** Those of load balancing have a table, and a test, of their own. */
const balancing = new Set(BALANCING_PATHS);
const working = keywordTable.nodes.filter(
  ({ keyword, path }) => keyword.scope === "vrrp" && !balancing.has(path),
);
const declared = [
  "agent/config/config.ts",
  "agent/config/authentication.ts",
  "agent/config/trackers.ts",
  "agent/config/bfd-instances.ts",
  "agent/config/mandates.ts",
  "agent/config/notifications.ts",
  "agent/core/vrrp/virtual-router.ts",
]
  .map(code)
  .join();

describe("keywords that are said to work", () => {
  test("are all listed with what they do, and nothing else is", () => {
    const paths = working.map(({ path }) => path);
    assert.deepEqual(Object.keys(EFFECTS).toSorted(), paths.toSorted());
  });

  for (const [path, effect] of Object.entries(EFFECTS)) {
    test(`${path}: ${effect.by}`, () => {
      const name = path.split(".").at(-1) ?? "";
      const [file, words = name] = effect.proof;
      assert.ok(text(`test/${file}`).includes(words), `test/${file} does not have "${words}"`);
      if (effect.by === "always") return;
      if (effect.by === "reading") {
        assert.ok(has(code(`agent/${effect.source}`), name), `${effect.source} does not read it`);
        return;
      }
      for (const value of effect.values) {
        const place = PLACES[value];
        assert.ok(place !== undefined, `${value} has no place`);
        assert.ok(has(code(`agent/${place}`), value), `${place} does not use ${value}`);
        assert.doesNotMatch(place, /^(config|cli|ports)\//);
      }
    });
  }

  test("every place is one of a value of the configuration that some keyword gives", () => {
    const given = new Set(
      Object.values(EFFECTS).flatMap((effect) => (effect.by === "value" ? effect.values : [])),
    );
    assert.deepEqual(Object.keys(PLACES).toSorted(), [...given].toSorted());
    for (const value of given) {
      assert.match(declared, new RegExp(`readonly ${value}\\b`), `${value} is not declared`);
    }
  });

  test("every setting of all has a place: none is read for nothing", () => {
    const declaration = /export interface GlobalConfig \{([^}]*)\}/.exec(
      code("agent/config/config.ts"),
    );
    // It is a group of settings, which have places of their own.
    const groups = new Set(["reload", "netlinkReceiveBuffers"]);
    for (const [, field = ""] of (declaration?.[1] ?? "").matchAll(/readonly (\w+):/g)) {
      if (!groups.has(field)) assert.ok(PLACES[field] !== undefined, field);
    }
  });
});
