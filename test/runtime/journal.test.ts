import assert from "node:assert/strict";
import { test } from "node:test";
import { replayJournal } from "../../agent/runtime/replay.ts";
import { FakeLan } from "./fake-lan.ts";
import { config, host, instance } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

async function recorded(): Promise<string> {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const a = host("a", time, lan, "192.0.2.1/24");
  const b = host("b", time, lan, "192.0.2.2/24");
  await a.node.configure(config([instance("VI_1", { priority: 150 })]));
  await b.node.configure(config([instance("VI_1")]));
  await time.advance(6_000);
  await b.node.configure(config([instance("VI_1", { priority: 200 })]));
  await time.advance(6_000);
  await a.node.stop();
  return [...b.node.journal.lines()].join("\n");
}

test("a journal replays without a difference", async () => {
  const journal = await recorded();
  const replay = replayJournal(journal);
  assert.equal(replay.routers, 1);
  assert.ok(replay.steps > 10);
  assert.deepEqual(replay.differences, []);
});

test("a step that was decided otherwise is found, with its line", async () => {
  const lines = (await recorded()).split("\n");
  const at = lines.findIndex((line) => line.includes('"install-addresses"'));
  const line = lines[at];
  assert.ok(line !== undefined);
  lines[at] = line.replace('{"kind":"install-addresses"},', "");
  const { differences } = replayJournal(lines.join("\n"));
  assert.equal(differences.length, 1);
  assert.equal(differences[0]?.line, at + 1);
  assert.match(differences[0]?.message ?? "", /^tick: effects .*install-addresses/);
});

test("configuration and state are written once, where they change", async () => {
  const steps = (await recorded()).split("\n").slice(1);
  const withConfig = steps.filter((line) => line.includes('"config":'));
  const withBefore = steps.filter((line) => line.includes('"before":'));
  assert.equal(withBefore.length, 1);
  assert.ok(withConfig.length <= 3, `${withConfig.length} of ${steps.length}`);
});

test("what is no journal is refused with the line", () => {
  assert.throws(() => replayJournal("hello"), /line 1: not JSON/);
  assert.throws(() => replayJournal("{}"), /line 1: this is not a journal/);
  assert.throws(() => replayJournal('{"journal":99}'), /version 99/);
  assert.throws(() => replayJournal('{"journal":1}\n{"router":"x"}'), /line 2: at is missing/);
});
