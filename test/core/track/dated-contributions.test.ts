import assert from "node:assert/strict";
import { test } from "node:test";
import { datedContributions } from "../../../agent/core/track/dated-contributions.ts";

test("a contribution keeps its date for as long as it keeps its weight", () => {
  const first = datedContributions([{ source: "script a", weight: -20 }], [], 1_000);
  assert.deepEqual(first, [{ source: "script a", weight: -20, since: 1_000 }]);
  const found = [
    { source: "script a", weight: -20 },
    { source: "script b", weight: 5 },
  ];
  const second = datedContributions(found, first, 2_000);
  assert.deepEqual(
    second.map(({ since }) => since),
    [1_000, 2_000],
  );
  const third = datedContributions([{ source: "script a", weight: 0 }], second, 3_000);
  assert.deepEqual(third, [{ source: "script a", weight: 0, since: 3_000 }]);
});
