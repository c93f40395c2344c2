import assert from "node:assert/strict";
import { test } from "node:test";
import { micros, milliseconds, seconds } from "../../../agent/core/time.ts";
import { leaseOf } from "../../../agent/core/vrrp/lease.ts";
import { EARLY_END, lifetimeAlone, lifetimeOf } from "../../../agent/core/vrrp/lifetime.ts";

test("an address outlives its lease and a late refresh, by one second and what the kernel rounds", () => {
  assert.deepEqual(lifetimeOf(seconds(1), 3), { seconds: 5, refresh: seconds(1.5) });
  assert.deepEqual(lifetimeOf(milliseconds(100), 3), { seconds: 3, refresh: seconds(1) });
  assert.deepEqual(lifetimeOf(seconds(10), 3), { seconds: 36, refresh: seconds(10) });
  assert.deepEqual(lifetimeOf(seconds(1), 1), { seconds: 3, refresh: seconds(1) });
});

test("whatever the interval, it is there when the next refresh comes, and when the gate shuts", () => {
  for (let interval = 10_000; interval <= 255_000_000; interval = interval * 1.3 + 7_919) {
    for (const downTimerAdverts of [1, 2, 3, 10, 100]) {
      const span = micros(interval);
      const { seconds: valid, refresh } = lifetimeOf(span, downTimerAdverts);
      assert.ok(Number.isInteger(valid) && valid < 0xffff_ffff);
      const surely = seconds(valid) - EARLY_END;
      assert.ok(surely >= refresh + milliseconds(500), `${interval} ${downTimerAdverts}`);
      const lease = leaseOf(span, downTimerAdverts);
      if (lease !== undefined) assert.ok(surely >= lease.length + refresh);
      assert.ok(refresh >= Math.max(span, seconds(1)), "not more often than needed");
      if (span < seconds(1)) assert.ok(surely >= 2 * refresh, "one may be missed");
      assert.ok(seconds(valid) < lifetimeSum(span, downTimerAdverts) + seconds(2));
    }
  }
});

/** Lease and refresh: no longer than needed. */
const lifetimeSum = (interval: number, downTimerAdverts: number): number =>
  (downTimerAdverts - 0.5) * interval + Math.max(interval, seconds(1));

test("without a gate it is the kernel's shortest, where a backup waits as long as that takes", () => {
  const shortest = { seconds: 1, refresh: milliseconds(400) };
  assert.deepEqual(lifetimeAlone(seconds(1), 3), shortest);
  assert.deepEqual(lifetimeAlone(seconds(3), 1), shortest);
  assert.equal(lifetimeAlone(milliseconds(990), 10), undefined);
  assert.equal(lifetimeAlone(seconds(1), 2), undefined);
});
