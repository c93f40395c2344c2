import assert from "node:assert/strict";
import { test } from "node:test";
import { micros, seconds, since } from "../../agent/core/time.ts";
import { systemClock } from "../../agent/linux/clock.ts";
import { openSleeplessClock } from "../../agent/linux/sleepless-clock.ts";

/** Microseconds; what these tests tell apart is more. A busy machine may stand between two looks. */
const NEAR = 150_000;

const near = (found: number, wanted: number): void =>
  assert.ok(Math.abs(found - wanted) < NEAR, `${found}, not ${wanted}`);

test("it is the host's clock as long as the machine was not suspended since", () => {
  const clock = openSleeplessClock();
  const now = clock.now();
  near(since(systemClock.now(), now), 0);
  assert.equal(clock.onHost(now), now);
});

test("time that the machine was suspended counts; timers hear of the host's clock", () => {
  let suspended = seconds(100);
  const clock = openSleeplessClock(() => suspended);
  const before = clock.now();
  near(since(systemClock.now(), before), 0);
  suspended = seconds(160);
  const after = clock.now();
  near(since(before, after), seconds(60));
  near(since(systemClock.now(), clock.onHost(after)), 0);
  // What was to be at this time is over on the host's clock, too.
  assert.ok(clock.onHost(before) < systemClock.now());
});

test("it never goes back, and does not tremble with what it costs to look", () => {
  let suspended = seconds(5);
  const clock = openSleeplessClock(() => suspended);
  let last = clock.now();
  for (const off of [3_000, -3_000, 9_000, -200_000, 0]) {
    suspended = micros(seconds(5) + off);
    const now = clock.now();
    assert.ok(now >= last);
    near(since(systemClock.now(), now), 0);
    last = now;
  }
});
