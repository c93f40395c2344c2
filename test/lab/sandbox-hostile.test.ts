import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { FAMILIES } from "../sandbox/hostile/all.ts";
import { Range } from "../sandbox/hostile/range.ts";

/* Policies that mean harm, each beside four neighbours that keep a schedule of 50 ms. */

/** Of a busy machine; on a quiet one it is 300 ms. */
const WORST_GAP_MS = 1_500;

const all = [...FAMILIES.values()].flat();

test("there are more than a hundred", () => assert.ok(all.length > 100, `${all.length}`));

test("no two have the same name", () => {
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
});

for (const [family, hostiles] of FAMILIES) {
  describe(family, () => {
    let range: Range;
    before(async () => {
      range = new Range();
      await range.start();
    });
    after(() => range.close());
    for (const hostile of hostiles) {
      test(hostile.name, async () => {
        await range.attack(hostile);
        const gap = range.takeWorstGap();
        assert.ok(gap < WORST_GAP_MS, `a neighbour waited for ${Math.round(gap)} ms`);
        assert.ok(range.neighboursAreWell, "a neighbour was struck");
      });
    }
  });
}
