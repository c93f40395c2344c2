import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { plainEqual } from "../../agent/core/plain-equal.ts";

const NONE: ReadonlySet<string> = new Set();

test("equal is what is the same text of JSON, whatever the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      assert.equal(plainEqual(a, b, NONE), isDeepStrictEqual(a, b));
      assert.equal(plainEqual(a, structuredClone(a), NONE), true);
    }),
  );
});

test("an absent key is as good as undefined, and ignored ones are not looked at", () => {
  assert.equal(plainEqual({ a: 1, b: undefined }, { a: 1 }, NONE), true);
  assert.equal(plainEqual({ a: 1 }, { b: undefined, a: 1 }, NONE), true);
  assert.equal(plainEqual({ a: 1 }, { a: 1, b: null }, NONE), false);
  assert.equal(plainEqual({ a: { x: 1, b: 2 } }, { a: { x: 2, b: 2 } }, new Set(["x"])), true);
  assert.equal(plainEqual({}, { toString: undefined }, NONE), true);
  assert.equal(plainEqual({ constructor: 1 }, {}, NONE), false);
});
