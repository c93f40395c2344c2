import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { config, instance, routerOf } from "../fixtures.ts";
import { settle } from "../virtual-time.ts";
import { Lab, mandate, member } from "./lab.ts";

const fences = ({ wishes }: Lab) =>
  wishes.map((wish) => (wish.kind === "mandate-wanted" ? wish.fence : "unwanted"));

/** What vouches for those that are active: a lease, nobody as its store was silent, a fence agent. */
const GRANTED = [
  ["by a lease", mandate(), 60_000],
  [
    "without one by advice",
    mandate({ lease: { mode: "advisory", key: "VI_1", failsafe: false } }),
    null,
  ],
  ["after a fencing alone", mandate({ lease: undefined, fences: ["pdu"] }), null],
] as const;

describe("a mandate that was granted before the machine slept", { timeout: 5_000 }, () => {
  for (const [what, one, graceMs] of GRANTED) {
    test(`${what} is over at once, whatever the witness says of it`, async () => {
      const lab = new Lab();
      await lab.configure([member()], [one]);
      await lab.time.advance(3_700);
      lab.grant(graceMs);
      await lab.time.advance(2_000);
      assert.ok(lab.isOpen);
      lab.sent();
      lab.suspend();
      assert.ok(!lab.isOpen);
      assert.equal(lab.state, "backup");
      assert.equal(routerOf(lab.host).lastTransition?.reason, "mandate-lost");
      const old = lab.serial;
      lab.grant(graceMs, old);
      await settle();
      assert.deepEqual(lab.sent(), [0]);
      assert.deepEqual(lab.asked, ["wanted", "unwanted"], "the gate is shut, so it goes back");
      lab.grant(graceMs, old);
      await lab.time.advance(3_600);
      assert.equal(lab.state, "backup");
      await lab.time.advance(10);
      assert.deepEqual(fences(lab), [true, "unwanted", true]);
      lab.grant(graceMs);
      await lab.time.advance(10);
      assert.ok(lab.isOpen);
      const said = lab.host.reports.filter(({ message }) =>
        message.includes("the machine was suspended"),
      );
      assert.deepEqual(
        said.map(({ level, subject }) => `${level} ${subject}`),
        ["warn gate", "error VI_1"],
      );
    });
  }
});

describe("a mandate that was sought before the machine slept", { timeout: 5_000 }, () => {
  test("is sought anew after a whole wait, and no fencing of before counts for it", async () => {
    const lab = new Lab();
    await lab.configure([member()], [mandate({ fences: ["pdu"] })]);
    await lab.time.advance(3_700);
    const old = lab.serial;
    lab.suspend();
    assert.deepEqual(fences(lab), [true, "unwanted"]);
    lab.grant(60_000, old);
    await lab.time.advance(3_600);
    assert.equal(lab.state, "backup");
    await lab.time.advance(10);
    assert.deepEqual(fences(lab), [true, "unwanted", true]);
    assert.notEqual(lab.serial, old);
  });

  test("because of a resignation is sought no more: whoever took over may be dead by now", async () => {
    const lab = new Lab();
    await lab.peer.node.configure(config([instance("VI_1", { priority: 200 })]));
    await lab.time.advance(4_000);
    await lab.configure();
    await lab.time.advance(3_000);
    await lab.peer.node.stop();
    await lab.time.advance(1_000);
    assert.deepEqual(fences(lab), [false]);
    lab.suspend();
    await lab.time.advance(3_700);
    assert.deepEqual(fences(lab), [false, "unwanted", true]);
  });
});

test("a backup waits as long as ever after the machine slept for an active one that it did not hear meanwhile", async () => {
  const lab = new Lab();
  await lab.peer.node.configure(config([instance("VI_1", { priority: 200 })]));
  await lab.time.advance(4_000);
  await lab.configure([instance("VI_1", { fenced: true })], []);
  await lab.time.advance(3_000);
  lab.lan.cut.add("b");
  await lab.time.advance(2_500);
  lab.suspend();
  await lab.time.advance(3_600);
  assert.equal(lab.state, "backup");
  await lab.time.advance(10);
  assert.equal(lab.state, "active");
});
