import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Micros } from "../../../agent/core/time.ts";
import { after, micros, milliseconds } from "../../../agent/core/time.ts";
import { Turn } from "../../../agent/runtime/balancing/turn.ts";
import { Schedule } from "../../../agent/runtime/schedule.ts";
import { VirtualTime } from "../virtual-time.ts";

/** Work on a clock that it moves itself. */
function make(cost: () => Micros) {
  const time = new VirtualTime();
  const schedule = new Schedule(time.clock, time.openTimer, () => undefined);
  let spent = micros(0);
  const clock = { ...time.clock, now: () => after(time.clock.now(), spent) };
  const done: (readonly number[])[] = [];
  const turn = new Turn<number>(clock, schedule, (items) => {
    done.push(items);
    spent = micros(spent + cost());
  });
  return { time, turn, done };
}

test("what comes in one turn of the loop is done together, and at once", async () => {
  const { turn, done } = make(() => micros(0));
  for (const item of [1, 2, 1]) turn.add(item);
  assert.deepEqual(done, []);
  await setImmediate();
  turn.add(3);
  await setImmediate();
  assert.deepEqual(done, [[1, 2], [3]]);
});

test("after long work it rests, and what comes meanwhile is done together", async () => {
  let cost = milliseconds(10);
  const { time, turn, done } = make(() => cost);
  turn.add(0);
  await setImmediate();
  for (let item = 1; item <= 50; item += 1) {
    turn.add(item);
    await setImmediate();
  }
  assert.equal(done.length, 1);
  // A second of work is followed by no longer a rest than it takes to notice.
  cost = milliseconds(1_000);
  await time.advance(50);
  assert.equal(done.length, 2);
  assert.equal(done[1]?.length, 50);
  turn.add(99);
  await setImmediate();
  assert.equal(done.length, 2);
  await time.advance(1_200);
  assert.deepEqual(done[2], [99]);
});
