import assert from "node:assert/strict";
import { test } from "node:test";
import type { IpAddress } from "../../agent/core/address.ts";
import type { Instant } from "../../agent/core/time.ts";
import { instant, seconds } from "../../agent/core/time.ts";
import { Crowds, TOLD_APART } from "../../agent/runtime/crowd.ts";
import type { EventReport } from "../../agent/runtime/ipc.ts";
import { Reports } from "../../agent/runtime/reports.ts";

const LATER = instant(seconds(10));

test("of a crowd the first are told, the last of them as such, until the span is over", () => {
  const crowds = new Crowds();
  const admit = (now: Instant) => Array.from({ length: 20 }, () => crowds.admit("a", now));
  for (const now of [instant(0), LATER]) {
    const answers = admit(now);
    assert.deepEqual(answers.slice(0, TOLD_APART - 1), Array(TOLD_APART - 1).fill("told"));
    assert.equal(answers[TOLD_APART - 1], "last");
    assert.deepEqual([...new Set(answers.slice(TOLD_APART))], ["untold"]);
  }
  assert.equal(crowds.admit("b", LATER), "told");
});

test("a stranger that changes its address and VRID all the time costs few lines", () => {
  const lines: EventReport[] = [];
  const clock = { now: () => instant(0), wallClock: () => 0 };
  const reports = new Reports(clock, (report) => lines.push(report));
  for (let at = 0; at < 10_000; at += 1) {
    reports.unknownVrid((at % 255) + 1, `10.0.${at >> 8}.${at & 255}` as IpAddress);
  }
  assert.equal(lines.length, TOLD_APART);
  assert.match(lines.at(-1)?.message ?? "", /further senders are only counted for now$/);
});
