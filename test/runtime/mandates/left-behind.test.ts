import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { address, instance } from "../fixtures.ts";
import { Lab, mandate, VIP } from "./lab.ts";

const REMEDY = `${VIP}/24 on eth0 could not be removed and is reachable there, so its lease is not given back and no other node takes over: ip address del ${VIP}/24 dev eth0`;

/** Active without a gate, by a lease; the kernel does not let go of its address any more. */
async function leading(fenced = false): Promise<Lab> {
  const lab = new Lab();
  const router = instance(
    "VI_1",
    { fenced, inSyncGroup: true },
    { addresses: [address(`${VIP}/24`)] },
  );
  const lease = { mode: "advisory", key: "VI_1", failsafe: false } as const;
  await lab.configure([router], [mandate({ lease })]);
  await lab.time.advance(3_700);
  lab.grant(60_000);
  await lab.time.advance(100);
  assert.equal(lab.state, "active");
  lab.host.network.refuseRemoval = "ENOMEM";
  return lab;
}

const said = ({ host }: Lab, level: string) =>
  host.reports.filter((one) => one.level === level && /lease/.test(one.message));

describe("a lease whose address the kernel does not remove", { timeout: 5_000 }, () => {
  test("stays here until that is gone, and an alarm says what to do", async () => {
    const lab = await leading();
    lab.hear({ kind: "withdrawn", because: "lost" });
    await lab.time.advance(60_000);
    assert.equal(lab.state, "backup");
    assert.ok(lab.host.network.find(VIP));
    assert.deepEqual(lab.asked, ["wanted"], "it is reachable here");
    const [alarm] = said(lab, "error").filter(({ message }) => message.startsWith(VIP));
    assert.deepEqual([alarm?.subject, alarm?.message], ["VI_1", REMEDY]);
    lab.host.network.refuseRemoval = undefined;
    await lab.time.advance(120_000);
    assert.equal(lab.host.network.find(VIP), undefined);
    assert.deepEqual(lab.asked, ["wanted", "unwanted", "wanted"]);
    assert.equal(said(lab, "error").filter(({ message }) => message === REMEDY).length, 1, "once");
  });

  test("goes back as soon as somebody removes it, or its lifetime ends", async () => {
    const lab = await leading();
    lab.hear({ kind: "withdrawn", because: "lost" });
    await lab.time.advance(2_500);
    const left = lab.host.network.find(VIP);
    assert.ok(left !== undefined && lab.asked.length === 1);
    lab.host.network.dropAddress(left);
    await lab.time.advance(1);
    assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
    assert.equal(said(lab, "warn").length, 1);
  });

  test("goes back at once where the gate in front of it is shut", async () => {
    const lab = await leading(true);
    lab.hear({ kind: "withdrawn", because: "lost" });
    await lab.time.advance(10);
    assert.ok(lab.host.network.find(VIP) && !lab.isOpen);
    assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
  });

  for (const fenced of [false, true]) {
    test(`is not given back by an agent that stops ${fenced ? "behind a gate" : "without a gate"}, which says that it leaves something`, async () => {
      const lab = await leading(fenced);
      const stopped = lab.host.node.stop();
      await lab.time.advance(500);
      assert.equal(await stopped, false);
      assert.ok(lab.host.network.find(VIP));
      if (!fenced) assert.deepEqual(lab.asked, ["wanted"]);
      else assert.ok(!lab.isOpen);
    });
  }

  test("goes back with an agent that stops and leaves nothing", async () => {
    const lab = await leading();
    lab.host.network.refuseRemoval = undefined;
    const stopped = lab.host.node.stop();
    await lab.time.advance(500);
    assert.equal(await stopped, true);
    assert.deepEqual(lab.asked, ["wanted", "unwanted"]);
  });
});
