import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { keywordTable } from "../../agent/config/keepalived/keyword-table.ts";
import {
  BALANCING_PATHS,
  BALANCING_PLACES,
  BALANCING_WORDS,
  balancingEffect,
} from "./effects-balancing.ts";

const read = (path: string): string =>
  readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const has = (source: string, word: string): boolean => new RegExp(`\\b${word}\\b`).test(source);

const declared = ["virtual-servers", "trackers"]
  .map((file) => read(`agent/config/${file}.ts`))
  .join();
const scopes = new Map(keywordTable.nodes.map(({ path, keyword }) => [path, keyword.scope]));

function holdValue(value: string): void {
  assert.match(declared, new RegExp(`readonly ${value}\\b`), `${value} is not declared`);
  const place = BALANCING_PLACES[value];
  assert.ok(place !== undefined, `${value} has no place`);
  assert.ok(has(read(`agent/${place}`), value), place);
}

describe("words of load balancing", () => {
  for (const path of BALANCING_PATHS) {
    test(path, () => {
      const effect = balancingEffect(path);
      assert.ok(effect !== undefined, "nothing says what it does");
      const name = path.split(".").at(-1) ?? "";
      const [file, words = name] = effect.proof;
      assert.ok(read(`test/${file}`).includes(words), `test/${file} does not have "${words}"`);
      assert.equal(scopes.get(path), "vrrp");
      if (effect.by === "reading") assert.ok(has(read(`agent/${effect.source}`), name));
      if (effect.by === "value") for (const value of effect.values) holdValue(value);
    });
  }

  test("no entry is there for nothing", () => {
    const names = BALANCING_PATHS.flatMap((path) => [path, path.split(".").at(-1) ?? ""]);
    for (const name of Object.keys(BALANCING_WORDS)) assert.ok(names.includes(name), name);
    const values = Object.values(BALANCING_WORDS).flatMap((effect) =>
      effect.by === "value" ? effect.values : [],
    );
    for (const value of Object.keys(BALANCING_PLACES)) assert.ok(values.includes(value), value);
  });
});
