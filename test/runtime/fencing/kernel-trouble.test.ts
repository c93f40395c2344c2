import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KernelError } from "../../../agent/ports/error.ts";
import { FakeLan } from "../fake-lan.ts";
import { config, host, instance, routerOf } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

const VIP = "192.0.2.100";
const PASSING = new KernelError("ENOBUFS", "not just now", "it is tried again", true);
const LASTING = new KernelError("EOPNOTSUPP", "never", "load nf_tables");

function begin() {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const one = host("a", time, lan, "192.0.2.1/24");
  return { time, one, gate: one.gate };
}

async function active(fencing: "auto" | "gate" = "auto") {
  const lab = begin();
  await lab.one.node.configure(config([instance("VI_1", { fenced: true }, { fencing })]));
  await lab.time.advance(5_100);
  assert.ok(lab.gate.isOpen(VIP));
  const stands = () => {
    const { state, fencing } = routerOf(lab.one);
    return `${state} ${fencing.kind}`;
  };
  const trouble = (error: KernelError): void => {
    lab.gate.problem = error;
    lab.gate.tell({ kind: "lost", error });
  };
  return { ...lab, stands, trouble };
}

describe("an error of nftables that may pass", { timeout: 5_000 }, () => {
  for (const fencing of ["auto", "gate"] as const) {
    test(`turns off no fencing that is ${fencing}, and faults nobody, if it passes`, async () => {
      const { time, gate, stands, trouble } = await active(fencing);
      trouble(PASSING);
      await time.advance(10);
      assert.equal(stands(), "active gate");
      gate.problem = undefined;
      await time.advance(3_000);
      assert.equal(stands(), "active gate");
      assert.ok(gate.isOpen(VIP));
    });

    test(`has routers whose fencing is ${fencing} leave if it goes on, until it is over`, async () => {
      const { time, one, gate, stands, trouble } = await active(fencing);
      trouble(PASSING);
      await time.advance(400);
      assert.equal(stands(), "active gate");
      for (const error of [PASSING, PASSING]) gate.tell({ kind: "lost", error });
      await time.advance(200);
      assert.equal(stands(), "fault gate");
      assert.equal(one.network.find(VIP), undefined);
      const said = one.reports.filter(({ message }) => message.startsWith("a gate that shuts: "));
      assert.deepEqual(
        said.map(({ level, message }) => `${level}: ${message}`),
        [
          "error: a gate that shuts: not just now; routers behind it are in fault, so that another node may take over; it is tried again",
        ],
      );
      await time.advance(20_000);
      assert.equal(stands(), "fault gate");
      gate.problem = undefined;
      await time.advance(4_300);
      assert.equal(stands(), "active gate");
      assert.ok(gate.isOpen(VIP));
    });
  }

  test("opens no address without a gate when the agent starts", async () => {
    const { time, one, gate } = begin();
    gate.problem = PASSING;
    await one.node.configure(config([instance("VI_1", { fenced: true })]));
    await time.advance(10_000);
    assert.equal(routerOf(one).state, "fault");
    assert.equal(one.network.find(VIP), undefined);
    gate.problem = undefined;
    await time.advance(5_000);
    assert.ok(one.network.find(VIP) !== undefined && gate.guarded.includes(VIP));
    assert.ok(gate.isOpen(VIP));
  });

  test("does not bring back a gate that the kernel has not", async () => {
    const { time, gate, stands, trouble } = await active();
    trouble(LASTING);
    await time.advance(10);
    assert.equal(stands(), "active lifetime");
    trouble(PASSING);
    await time.advance(20_000);
    assert.equal(stands(), "active lifetime");
    gate.problem = undefined;
    await time.advance(5_100);
    assert.equal(stands(), "active gate");
  });
});
