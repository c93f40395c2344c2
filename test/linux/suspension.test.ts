import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { watchSuspension } from "../../agent/linux/suspension.ts";

test("a machine that runs is not told of, and watching ends", { timeout: 5_000 }, async () => {
  const heard: number[] = [];
  const stop = watchSuspension((missed) => heard.push(missed));
  await sleep(50);
  stop();
  assert.deepEqual(heard, []);
});
