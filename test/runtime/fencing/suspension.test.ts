import assert from "node:assert/strict";
import { test } from "node:test";
import type { Micros } from "../../../agent/core/time.ts";
import { seconds } from "../../../agent/core/time.ts";
import { Node } from "../../../agent/runtime/node.ts";
import { FakeLan } from "../fake-lan.ts";
import { config, fakeWorld, instance } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

const VIP = "192.0.2.100";

async function active() {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const { world, gate, holders, reports } = fakeWorld("a", time, lan, "192.0.2.1/24");
  const listeners = new Set<(missed: Micros) => void>();
  const node = new Node({
    ...world,
    watchSuspension: (heard) => {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
  });
  const suspend = () => {
    for (const heard of listeners) heard(seconds(90));
  };
  await node.configure(config([instance("VI_1", { fenced: true })]));
  await time.advance(5_100);
  assert.ok(gate.isOpen(VIP));
  return { time, node, gate, holders, reports, listeners, suspend };
}

test("after the machine was suspended the gate is shut while somebody else has the address", async () => {
  const { time, gate, holders, reports, suspend } = await active();
  holders.held.add(VIP);
  suspend();
  assert.ok(!gate.isOpen(VIP), "at once");
  await time.advance(2_000);
  assert.ok(!gate.isOpen(VIP));
  assert.match(reports.at(-1)?.message ?? "", /was suspended for 90\.0 s: gates are shut until/);
  holders.held.clear();
  await time.advance(20);
  assert.ok(gate.isOpen(VIP));
});

test("an advertisement from before it opens nothing", async () => {
  const { time, gate, suspend } = await active();
  suspend();
  await time.advance(100);
  assert.ok(!gate.isOpen(VIP), "nobody answered, and nobody has heard of us");
  await time.advance(1_000);
  assert.ok(gate.isOpen(VIP), "the next one left");
});

test("a node that stops does not hear of it any more", async () => {
  const { node, listeners } = await active();
  await node.stop();
  assert.equal(listeners.size, 0);
});
