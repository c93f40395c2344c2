import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { OpenTimer } from "../../../agent/ports/clock.ts";
import type { ProbeOutcome } from "../../../agent/ports/server-probes.ts";
import { TimedLook } from "../../../agent/runtime/balancing/timed-look.ts";
import { Schedule } from "../../../agent/runtime/schedule.ts";
import { settle, VirtualTime } from "../virtual-time.ts";
import { tcpCheck } from "./rig.ts";

const GOOD: ProbeOutcome = { ok: true, reason: "connected", ms: 1 };

/** A look every 5 s with a timeout of 1 s, and no retries. */
class Looking {
  readonly time = new VirtualTime();
  readonly verdicts: string[] = [];
  /** How to answer each look that was begun. */
  readonly answers: ((outcome: ProbeOutcome) => void)[] = [];
  /** Of the first look: what the event loop sees only after the timers that are due. */
  readonly waiting: ProbeOutcome[] = [];

  constructor() {
    const { clock } = this.time;
    const nothing = (): void => undefined;
    const openTimer: OpenTimer = (due) =>
      this.time.openTimer(() => {
        due();
        for (const outcome of this.waiting.splice(0)) this.answers[0]?.(outcome);
      });
    const schedule = new Schedule(clock, openTimer, nothing);
    const world = { clock, schedule, failed: nothing, warn: nothing };
    const probe = (): Promise<ProbeOutcome> =>
      new Promise((resolve) => {
        this.answers.push(resolve);
      });
    const look = new TimedLook(world, tcpCheck(1).timing, probe, 1);
    look.attach(({ verdict, reason }) => this.verdicts.push(`${verdict}: ${reason}`));
  }
}

describe("a process that stood still", { timeout: 5_000 }, () => {
  test("looks once more at what it had no time for, and then believes silence", async () => {
    const one = new Looking();
    await one.time.advance(500);
    assert.equal(one.answers.length, 1);
    one.time.stall(3_000);
    await one.time.advance(0);
    assert.deepEqual([one.answers.length, one.verdicts], [2, []]);
    await one.time.advance(1_000);
    assert.deepEqual(one.verdicts, ["down: timeout"]);
  });

  test("counts the answer that came meanwhile", async () => {
    const one = new Looking();
    await one.time.advance(500);
    one.time.stall(3_000);
    one.waiting.push(GOOD);
    await one.time.advance(0);
    await settle();
    assert.deepEqual(one.verdicts, ["up: connected"]);
    assert.equal(one.answers.length, 1);
  });

  test("counts an answer that came while it was only a little late", async () => {
    const one = new Looking();
    await one.time.advance(500);
    one.time.stall(550);
    one.waiting.push(GOOD);
    await one.time.advance(0);
    await settle();
    assert.deepEqual(one.verdicts, ["up: connected"]);
  });

  test("is not excused twice: who is always late finds all the same", async () => {
    const one = new Looking();
    await one.time.advance(500);
    for (let turn = 0; turn < 2; turn += 1) {
      one.time.stall(3_000);
      await one.time.advance(0);
    }
    assert.deepEqual(one.verdicts, ["down: timeout"]);
  });
});
