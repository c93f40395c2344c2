import assert from "node:assert/strict";
import { test } from "node:test";
import { centiseconds, milliseconds, seconds } from "../../../agent/core/time.ts";
import { activeDownInterval, nextDeadline, skewTime } from "../../../agent/core/vrrp/timers.ts";
import { at, router } from "./example.ts";

test("v3 skew scales with the active router's interval [RFC9568-6.1]", () => {
  const cases: readonly (readonly [number, number, number])[] = [
    [100, 1_000_000, 609_375],
    [254, 1_000_000, 7_812],
    [255, 1_000_000, 3_906],
    [1, 1_000_000, 996_093],
    [100, 10_000, 6_093],
    [254, 10_000, 78],
    [1, 40_950_000, 40_790_039],
  ];
  for (const [priority, interval, skew] of cases) {
    assert.equal(skewTime(router({ priority }), centiseconds(interval / 10_000)), skew);
  }
});

test("v2 skew is a part of a second, whatever the interval [RFC3768-6.1]", () => {
  for (const interval of [1, 2, 255]) {
    assert.equal(skewTime(router({ version: 2 }), seconds(interval)), 609_375);
    assert.equal(skewTime(router({ version: 2, priority: 254 }), seconds(interval)), 7_812);
  }
});

test("the down interval is three advertisements and the skew [RFC9568-6.1] [RFC3768-6.1]", () => {
  assert.equal(activeDownInterval(router(), seconds(1)), 3_609_375);
  assert.equal(activeDownInterval(router(), milliseconds(10)), 36_093);
  assert.equal(activeDownInterval(router({ version: 2 }), seconds(2)), 6_609_375);
  assert.equal(activeDownInterval(router({ downTimerAdverts: 1 }), seconds(1)), 1_609_375);
});

test("the next deadline follows the last one, not the moment it was met", () => {
  assert.equal(nextDeadline(at(1_000), milliseconds(1), at(1_000)), 2_000);
  assert.equal(nextDeadline(at(1_000), milliseconds(1), at(1_999)), 2_000);
  // Late by a whole interval or more: none is made up for.
  assert.equal(nextDeadline(at(1_000), milliseconds(1), at(2_000)), 3_000);
  assert.equal(nextDeadline(at(1_000), milliseconds(1), at(900_500)), 901_500);
});
