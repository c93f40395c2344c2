import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, describe, test } from "node:test";
import { instant } from "../../agent/core/time.ts";
import { systemClock } from "../../agent/linux/clock.ts";
import { openTimer } from "../../agent/linux/timer.ts";
import type { Timer } from "../../agent/ports/clock.ts";

const inMicros = (span: number) => instant(systemClock.now() + span);
const timers: Timer[] = [];
after(() => {
  for (const timer of timers) timer.close();
});

/** A timer and the moments at which it was due. */
function recorded(then: () => void = () => {}): { timer: Timer; due: number[] } {
  const due: number[] = [];
  const timer = openTimer(() => {
    due.push(systemClock.now());
    then();
  });
  timers.push(timer);
  return { timer, due };
}
const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((done) => setImmediate(done));
};
/** Waits with a timer of the kind under test. */
const pause = (span: number): Promise<void> =>
  new Promise((done) => {
    recorded(done).timer.set(inMicros(span));
  });

describe("clock", () => {
  test("now is CLOCK_MONOTONIC in microseconds, wallClock the time of day", () => {
    const monotonic = Number(process.hrtime.bigint() / 1_000n);
    const now = systemClock.now();
    assert.ok(Number.isInteger(now) && now >= monotonic && now - monotonic < 1_000_000);
    assert.ok(Math.abs(systemClock.wallClock() - Date.now()) < 1_000);
  });
});

describe("timer", () => {
  test("it is due once, never early, and to a fraction of a millisecond", async () => {
    const late: number[] = [];
    for (const span of [300, 1_700, 5_250]) {
      const at = inMicros(span);
      const { due } = await new Promise<{ due: number[] }>((done) => {
        const record = recorded(() => done(record));
        record.timer.set(at);
      });
      await turns(3);
      assert.equal(due.length, 1);
      late.push((due[0] ?? 0) - at);
    }
    assert.ok(Math.min(...late) >= 0, `early: ${late}`);
    // A busy machine may be late; it is not late every time.
    assert.ok(Math.min(...late) < 1_000, `late: ${late}`);
  });

  test("an instant in the past is due in the next turns, not at once", async () => {
    const { timer, due } = recorded();
    timer.set(inMicros(-5_000_000));
    timer.set(instant(0));
    assert.equal(due.length, 0);
    await pause(500);
    assert.equal(due.length, 1);
  });

  test("the last instant set counts, earlier or later", async () => {
    const { timer, due } = recorded();
    timer.set(inMicros(60_000_000));
    timer.set(inMicros(500));
    await pause(2_000);
    assert.equal(due.length, 1);
    timer.set(inMicros(500));
    const later = inMicros(4_000);
    timer.set(later);
    await pause(6_000);
    assert.equal(due.length, 2);
    assert.ok((due[1] ?? 0) >= later);
  });

  test("undefined disarms, also after it has fired behind a stall", async () => {
    const { timer, due } = recorded();
    timer.set(inMicros(500));
    const stall = inMicros(2_000);
    while (systemClock.now() < stall);
    timer.set(undefined);
    await pause(1_000);
    assert.equal(due.length, 0);
  });

  test("a deadline moved by what happens in its own turn is not due before", async () => {
    const later = inMicros(5_000);
    // The loop hears of the timer first that was opened first.
    const first = recorded(() => second.timer.set(later));
    const second = recorded();
    const at = inMicros(300);
    first.timer.set(at);
    second.timer.set(inMicros(301));
    while (systemClock.now() < at + 1_000);
    await pause(8_000);
    assert.equal(second.due.length, 1);
    assert.ok((second.due[0] ?? 0) >= later);
  });

  test("other events have their turn however many deadlines have passed", async () => {
    let events = 0;
    const many = 200;
    await new Promise<void>((done) => {
      let left = many;
      const { timer } = recorded(() => {
        left -= 1;
        if (left === 0) done();
        else timer.set(instant(1));
        setImmediate(() => {
          events += 1;
        });
      });
      timer.set(instant(1));
    });
    assert.ok(events >= many - 2, `${events} of ${many} events ran meanwhile`);
  });

  test("nothing is due after close", async () => {
    const { timer, due } = recorded();
    timer.set(inMicros(300));
    timer.close();
    timer.close();
    timer.set(inMicros(300));
    await pause(1_000);
    assert.equal(due.length, 0);
  });

  test("an exception from due crashes the process as any other", () => {
    const module = JSON.stringify(new URL("../../agent/linux/timer.ts", import.meta.url).href);
    const script = `
      const { openTimer } = await import(${module});
      openTimer(() => { throw new TypeError("from due"); }).set(1);`;
    const args = ["--input-type=module", "-e", script];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(status, 1);
    assert.match(stderr, /TypeError: from due/);
  });
});
