import assert from "node:assert/strict";
import { test } from "node:test";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import type { Finding } from "../../../agent/core/virtual-server/pool.ts";
import type { ProbeOutcome } from "../../../agent/ports/server-probes.ts";
import { TimedLook } from "../../../agent/runtime/balancing/timed-look.ts";
import { Schedule } from "../../../agent/runtime/schedule.ts";
import { settle, VirtualTime } from "../virtual-time.ts";
import { tcpCheck } from "./rig.ts";

const INTERVAL_MS = 2_000;
const { timing } = tcpCheck(1, {
  interval: milliseconds(INTERVAL_MS),
  timeout: seconds(1),
  retries: 1,
});

/** A look in virtual time, at a server that answers as the test says. */
function look(seed = 1) {
  const time = new VirtualTime();
  const start = time.clock.now();
  const begun: number[] = [];
  const found: Finding[] = [];
  const server: { answer: ProbeOutcome | "silence" } = { answer: "silence" };
  const schedule = new Schedule(time.clock, time.openTimer.bind(time), () => undefined);
  const world = { clock: time.clock, schedule, failed: () => undefined, warn: () => undefined };
  const probe = (signal: AbortSignal): Promise<ProbeOutcome> => {
    begun.push((time.clock.now() - start) / 1_000);
    if (server.answer !== "silence") return Promise.resolve(server.answer);
    const late = { ok: false, reason: "timeout waiting for the answer", ms: 1_000 };
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve(late)));
  };
  const made = new TimedLook(world, timing, probe, seed);
  made.attach((finding) => found.push(finding));
  const wait = async (ms: number): Promise<void> => {
    await time.advance(ms);
    await settle();
  };
  return { made, server, begun, found, wait };
}

test("what was waited for is told of a look that took too long", async () => {
  const { made, found, wait } = look();
  await wait(4_000);
  assert.equal(found.at(-1)?.verdict, "down");
  assert.equal(found.at(-1)?.reason, "timeout waiting for the answer");
  assert.equal(made.durations.count, 0);
  made.close();
});

test("what was found last is known, also while it decides nothing", async () => {
  const { made, server, found, wait } = look();
  server.answer = { ok: true, reason: "HTTP 200", ms: 3 };
  await wait(INTERVAL_MS);
  server.answer = { ok: false, reason: "HTTP 503", ms: 4 };
  await wait(INTERVAL_MS);
  assert.deepEqual([made.reason, made.figures().failing], ["HTTP 503", 1]);
  assert.deepEqual(found.length, 1);
  await wait(1_000);
  assert.deepEqual([found.length, found[1]?.reason, made.figures().failing], [2, "HTTP 503", 2]);
  server.answer = { ok: false, reason: "connection refused", ms: 1 };
  await wait(INTERVAL_MS);
  assert.deepEqual([made.reason, found.length], ["connection refused", 2]);
  const { runs, failures, lastMs, p99Ms } = made.figures();
  assert.deepEqual([runs - failures, lastMs], [made.durations.count, 1]);
  assert.ok(p99Ms !== null && p99Ms < 4);
  made.close();
});

test("each period has one look, none is late, and no two directors keep step", async () => {
  const nodes = await Promise.all(
    [1, 2].map(async (seed) => {
      const one = look(seed);
      one.server.answer = { ok: true, reason: "", ms: 1 };
      await one.wait(50 * INTERVAL_MS);
      one.made.close();
      return one.begun;
    }),
  );
  for (const begun of nodes) {
    const early = begun.map((at, turn) => turn * INTERVAL_MS - at);
    // Looks begin together with others, in steps of 10 ms.
    assert.ok(
      early.every((ms) => ms >= -10 && ms <= 0.05 * INTERVAL_MS),
      `${early.slice(0, 50)}`,
    );
    assert.ok(new Set(early).size > 5, `${early.slice(0, 50)}`);
  }
  const [first = [], second = []] = nodes;
  const same = first.filter((at, turn) => turn > 0 && at === second[turn]).length;
  assert.ok(same < 20, `${same} of ${first.length}`);
});
