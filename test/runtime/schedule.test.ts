import assert from "node:assert/strict";
import { test } from "node:test";
import { after, milliseconds } from "../../agent/core/time.ts";
import { Schedule } from "../../agent/runtime/schedule.ts";
import { VirtualTime } from "./virtual-time.ts";

function world(drain: () => void = () => undefined) {
  const time = new VirtualTime();
  const schedule = new Schedule(time.clock, time.openTimer, drain);
  const log: string[] = [];
  const at = (ms: number) => after(time.now, milliseconds(ms));
  const slot = (name: string) => schedule.slot(() => log.push(`${name} ${time.nowMs}`));
  return { time, schedule, log, at, slot };
}

test("deadlines act at their time, earliest first, whatever the order in which they were set", async () => {
  const { time, log, at, slot } = world();
  const times = [50, 10, 40, 20, 30, 5, 45, 15];
  for (const ms of times) slot(`t${ms}`).set(at(ms));
  await time.advance(60);
  assert.deepEqual(
    log,
    [5, 10, 15, 20, 30, 40, 45, 50].map((ms) => `t${ms} ${ms}`),
  );
});

test("a deadline that is moved or taken back does not act at its old time", async () => {
  const { time, log, at, slot } = world();
  const moved = slot("moved");
  const gone = slot("gone");
  moved.set(at(10));
  gone.set(at(10));
  moved.set(at(30));
  gone.set(undefined);
  await time.advance(20);
  assert.deepEqual(log, []);
  await time.advance(20);
  assert.deepEqual(log, ["moved 30"]);
});

test("2,000 deadlines in random order come out in order", async () => {
  const { time, schedule, at } = world();
  let last = 0;
  let count = 0;
  let seed = 1;
  for (let each = 0; each < 2_000; each += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    const ms = seed % 1_000;
    const slot = schedule.slot(() => {
      assert.ok(ms >= last);
      last = ms;
      count += 1;
    });
    slot.set(at(500));
    slot.set(at(ms));
  }
  await time.advance(1_000);
  assert.equal(count, 2_000);
});

test("after a stall, packets are drained before an expired deadline acts", async () => {
  const drained: string[] = [];
  const { time, log, at, slot } = world(() => {
    drained.push("drain");
    late.set(at(100));
  });
  const late = slot("late");
  const onTime = slot("on-time");
  late.set(at(10));
  onTime.set(at(12));
  time.stall(50);
  await time.advance(1);
  assert.deepEqual(drained, ["drain"]);
  assert.deepEqual(log, ["on-time 50"], "the packet put off the deadline");
});

test("without a stall nothing is drained: it would be a system call per deadline", async () => {
  let drained = 0;
  const { time, at, slot } = world(() => {
    drained += 1;
  });
  slot("a").set(at(10));
  await time.advance(20);
  assert.equal(drained, 0);
});

test("one that expired does not act when another put it off in the same turn", async () => {
  const { time, schedule, log, at, slot } = world();
  const second = slot("second");
  schedule.slot(() => second.set(at(20))).set(at(10));
  second.set(at(10));
  await time.advance(15);
  assert.deepEqual(log, []);
  await time.advance(20);
  assert.deepEqual(log, ["second 30"]);
});

test("one that sets itself anew at once lets the others act in between", async () => {
  const { time, schedule, log, at, slot } = world();
  let turns = 0;
  const greedy = schedule.slot(() => {
    turns += 1;
    if (turns < 5) greedy.set(time.now);
  });
  greedy.set(at(10));
  slot("other").set(at(10));
  await time.advance(10);
  assert.deepEqual(log, ["other 10"]);
  assert.equal(turns, 5);
});
