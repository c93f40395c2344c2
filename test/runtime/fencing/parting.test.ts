import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelError } from "../../../agent/ports/error.ts";
import { FakeLan } from "../fake-lan.ts";
import { config, host, instance, routerOf } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

const VIP = "192.0.2.100";

/** A router is active on this host, and there is a gate in front of its address. */
async function active() {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const one = host("a", time, lan, "192.0.2.1/24");
  await one.node.configure(config([instance("VI_1", { fenced: true })]));
  await time.advance(5_000);
  const resignations = () => lan.sent.filter(({ priority }) => priority === 0).length;
  return { time, one, resignations };
}

/** The kernel says that the gate is shut when it is asked to. */
function heldShut(gate: { shut: (...asked: never[]) => Promise<KernelError | undefined> }) {
  let answer: () => void = () => undefined;
  gate.shut = () =>
    new Promise((resolve) => {
      answer = () => resolve(undefined);
    });
  return () => answer();
}

test("a resignation waits for the address or the gate, however long that takes", async () => {
  const { time, one, resignations } = await active();
  one.network.hold = true;
  const shut = heldShut(one.gate);
  one.network.setLink("eth0", { running: false });
  await time.advance(1_000);
  assert.equal(routerOf(one).state, "fault");
  assert.equal(resignations(), 0, "hosts may reach the address here");
  shut();
  await time.advance(1);
  assert.equal(resignations(), 2);
  one.network.answer();
  await time.advance(200);
  assert.equal(resignations(), 2, "once");
});

test("it leaves as soon as the address is gone, whatever becomes of the gate", async () => {
  const { time, one, resignations } = await active();
  heldShut(one.gate);
  one.network.setLink("eth0", { running: false });
  await time.advance(1);
  assert.equal(resignations(), 2);
});

test("it leaves when the gate has shut by itself, where the kernel answers nothing", async () => {
  const { time, one, resignations } = await active();
  one.network.hold = true;
  heldShut(one.gate);
  one.network.setLink("eth0", { running: false });
  for (let ms = 0; one.gate.isOpen(VIP); ms += 10) {
    assert.equal(resignations(), 0, `${ms} ms`);
    await time.advance(10);
  }
  await time.advance(300);
  assert.equal(resignations(), 2);
});

test("an address that the kernel does not let go of is shut off before a peer hears of it", async () => {
  const { time, one, resignations } = await active();
  one.network.refuseRemoval = "ENOMEM";
  const shut = heldShut(one.gate);
  const stopped = one.node.stop();
  await time.advance(500);
  assert.ok(one.network.find(VIP));
  assert.equal(resignations(), 0);
  shut();
  await time.advance(1);
  assert.equal(resignations(), 1);
  await stopped;
});
