import assert from "node:assert/strict";
import { test } from "node:test";
import { after, milliseconds } from "../../../agent/core/time.ts";
import type { MandateNews } from "../../../agent/core/witness/mandate-news.ts";
import { KernelError } from "../../../agent/ports/error.ts";
import { address, config, instance, routerOf } from "../fixtures.ts";
import { settle } from "../virtual-time.ts";
import { Lab, VIP } from "./lab.ts";

test("without a grant it asks again and again, and never becomes active", async () => {
  const lab = new Lab();
  await lab.configure();
  await lab.time.advance(30_000);
  assert.equal(lab.state, "backup");
  assert.deepEqual(lab.asked, ["wanted"], "one wish, however often its machine asks");
  assert.equal((lab.wishes[0]?.kind === "mandate-wanted" && lab.wishes[0].fence) || false, true);
  assert.deepEqual(lab.sent(), []);
  assert.deepEqual(lab.host.gate.asked, []);
  assert.equal(routerOf(lab.host).mandate?.state, "sought");
  assert.equal(routerOf(lab.host).syncGroup, null);
  assert.deepEqual(lab.host.node.groups(), [], "nobody configured a group");
});

test("a router that becomes active without asking is not reachable, and leaves", async () => {
  const lab = new Lab();
  await lab.configure([instance("VI_1", { fenced: true }, { addresses: [address(`${VIP}/24`)] })]);
  await lab.time.advance(10_000);
  assert.equal(routerOf(lab.host).counters.becameActive, 2);
  assert.equal(lab.state, "backup", "its group has it leave");
  assert.ok(!lab.host.gate.asked.some((line) => line.startsWith("open")));
  assert.deepEqual(lab.host.frames, []);
});

test("the gate shuts at the mandate's deadline, however much it advertises, and it resigns", async () => {
  const lab = new Lab();
  await lab.lead(5_300);
  await lab.time.advance(5_200);
  assert.ok(lab.isOpen);
  lab.sent();
  await lab.time.advance(97);
  assert.ok(lab.isOpen);
  assert.equal(lab.state, "active");
  await lab.time.advance(3);
  assert.ok(!lab.isOpen);
  assert.equal(lab.state, "backup");
  assert.deepEqual(lab.sent(), [0]);
  const { lastTransition, counters } = routerOf(lab.host);
  assert.equal(lastTransition?.reason, "mandate-lost");
  assert.equal(counters.mandatesLost, 1);
});

test("the kernel shuts it at the deadline also when this process stands still", async () => {
  const lab = new Lab();
  await lab.lead(1_000);
  lab.time.stall(999);
  assert.ok(!lab.isOpen, "2 ms have passed since it was granted");
});

test("advertisements and renewals extend it alike, up to the sooner end", async () => {
  const lab = new Lab();
  await lab.lead(1_000);
  for (let round = 0; round < 20; round += 1) {
    await lab.time.advance(700);
    assert.ok(lab.isOpen);
    lab.grant(1_000);
    await settle();
  }
  assert.equal(lab.state, "active");
  // No advertisement leaves any more: renewals alone do not hold it open.
  lab.lan.cut.add("a");
  for (let round = 0; round < 6; round += 1) {
    await lab.time.advance(500);
    lab.grant(1_000);
  }
  await settle();
  assert.ok(!lab.isOpen);
});

test("a withdrawal shuts the gate and resigns at once", async () => {
  const lab = new Lab();
  await lab.lead(60_000);
  lab.sent();
  lab.hear({ kind: "withdrawn", because: "lost" });
  await settle();
  assert.ok(!lab.isOpen);
  assert.equal(lab.state, "backup");
  assert.deepEqual(lab.sent(), [0]);
  assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
  await lab.time.advance(3_700);
  assert.deepEqual(lab.asked, ["wanted", "unwanted", "wanted"]);
});

test("it is given back when the kernel has said that the gate is shut, and not before", async () => {
  const lab = new Lab();
  await lab.lead(60_000);
  const { gate } = lab.host;
  const kernel = gate.shut.bind(gate);
  let answer: () => void = assert.fail;
  gate.shut = async (addresses) => {
    const outcome = await kernel(addresses);
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return outcome;
  };
  await lab.peer.node.configure(config([instance("VI_1", { priority: 200 })]));
  await lab.time.advance(4_000);
  assert.equal(lab.state, "backup");
  assert.deepEqual(lab.asked, ["wanted"]);
  answer();
  await settle();
  assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
});

test("if the kernel refuses, it is given back when the last lease is over", async () => {
  const lab = new Lab();
  await lab.lead(60_000);
  const { gate } = lab.host;
  await lab.time.advance(300);
  gate.shut = () => Promise.resolve(new KernelError("EPERM", "refused", "do not"));
  const held = routerOf(lab.host).fencing.gate?.remaining ?? 0;
  lab.hear({ kind: "withdrawn", because: "lost" });
  await lab.time.advance(held / 1_000);
  assert.ok(held > 1_000_000);
  assert.deepEqual(lab.asked, ["wanted"]);
  await lab.time.advance(300);
  assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
});

test("a renewal that leaves the end of the last advertisement's lease as it is asks the kernel nothing", async () => {
  const lab = new Lab();
  await lab.lead(60_000);
  const before = lab.host.gate.asked.length;
  lab.grant(70_000);
  await settle();
  assert.equal(lab.host.gate.asked.length, before);
  lab.grant(1_000);
  await settle();
  assert.equal(lab.host.gate.asked.length, before + 1);
});

test("a stop gives it back before it is over", async () => {
  const lab = new Lab();
  await lab.lead(60_000);
  const { gate } = lab.host;
  const kernel = gate.shut.bind(gate);
  gate.shut = async (addresses) => {
    const outcome = await kernel(addresses);
    await settle();
    return outcome;
  };
  await lab.host.node.stop();
  assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
  assert.deepEqual(lab.host.gate.guarded, []);
});

test("a grant of an older wish is nobody's", async () => {
  const lab = new Lab();
  await lab.lead(1_000);
  const old = lab.serial;
  await lab.time.advance(6_000);
  assert.deepEqual(lab.asked, ["wanted", "unwanted", "wanted"]);
  assert.notEqual(lab.serial, old);
  lab.grant(60_000, old);
  await lab.time.advance(10);
  assert.equal(lab.state, "backup");
  lab.grant(60_000);
  await lab.time.advance(10);
  assert.equal(lab.state, "active");
});

test("only who preempts calls the holder, by one advertisement an interval", async () => {
  const taken: MandateNews = { kind: "taken", holder: "b/1" };
  for (const [priority, calls] of [
    [50, [100]],
    [undefined, []],
  ] as const) {
    const lab = new Lab();
    if (priority !== undefined) {
      await lab.peer.node.configure(config([instance("VI_1", { priority })]));
      await lab.time.advance(5_000);
    }
    await lab.configure();
    await lab.time.advance(3_700);
    assert.deepEqual(lab.asked, ["wanted"]);
    assert.deepEqual(lab.sent(), []);
    lab.hear(taken);
    lab.hear(taken);
    assert.deepEqual(lab.sent(), calls);
    assert.equal(lab.state, "backup");
    assert.deepEqual(routerOf(lab.host).mandate?.holder, "b/1");
    assert.equal(routerOf(lab.host).mandate?.taken, true);
  }
});

test("who waits to preempt does not fence; who waits for somebody silent does", async () => {
  const lab = new Lab();
  await lab.peer.node.configure(config([instance("VI_1", { priority: 50 })]));
  await lab.time.advance(5_000);
  await lab.configure();
  await lab.time.advance(3_700);
  const fences = () =>
    lab.wishes.map((wish) => (wish.kind === "mandate-wanted" ? wish.fence : "unwanted"));
  assert.deepEqual(fences(), [false]);
  lab.lan.cut.add("b");
  await lab.time.advance(8_000);
  assert.deepEqual(fences(), [false, "unwanted", true]);
});

for (const before of ["resigned", "was to be preempted"] as const) {
  test(`who waits after somebody ${before} fences whoever the store says has it, if nobody was heard meanwhile`, async () => {
    for (const lasting of [false, true]) {
      const lab = new Lab();
      const priority = before === "resigned" ? 200 : 50;
      await lab.peer.node.configure(config([instance("VI_1", { priority })]));
      await lab.time.advance(5_000);
      await lab.configure();
      if (before === "resigned") {
        await lab.time.advance(2_000);
        void lab.peer.node.stop();
      }
      while (lab.wishes.length === 0) await lab.time.advance(10);
      lab.lan.cut.add("b");
      const fences = () =>
        lab.wishes.map((wish) => (wish.kind === "mandate-wanted" ? wish.fence : "unwanted"));
      lab.hear({ kind: "taken", holder: "c/1" });
      await lab.time.advance(1_200);
      if (lasting) lab.hear({ kind: "taken", holder: "c/1" });
      await lab.time.advance(2_500);
      assert.deepEqual(fences(), lasting ? [false, "unwanted", true] : [false]);
    }
  });
}

test("another witness process is told the wishes again", async () => {
  const lab = new Lab();
  await lab.configure();
  await lab.time.advance(3_700);
  lab.host.node.mandates.witnessLost();
  const [first, second] = lab.wishes;
  assert.deepEqual(second, first);
  lab.grant(5_000);
  await lab.time.advance(10);
  assert.equal(lab.state, "active");
  lab.host.node.mandates.witnessLost();
  assert.deepEqual(lab.wishes.at(-1), { ...first, fence: false });
  assert.equal(lab.state, "active", "what was granted holds until its deadline");
});

test("after a stall a renewal that waits in the channel counts, if it is not over itself", async () => {
  for (const [graceMs, state] of [
    [1_000, "active"],
    [3, "backup"],
  ] as const) {
    const lab = new Lab();
    await lab.lead(1_000);
    await lab.time.advance(100);
    // The kernel has shut by itself; the renewal comes in the same turn as the deadline, but after it.
    const deadline = after(lab.time.now, milliseconds(898 + 10 + graceMs));
    lab.time.stall(898 + 10);
    const renewed = lab.time.later(1, () =>
      lab.hear({ kind: "granted", deadlineAt: deadline, epoch: "0000000a" }),
    );
    await lab.time.advance(8);
    renewed();
    assert.equal(lab.state, state);
    assert.equal(lab.isOpen, state === "active");
  }
});
