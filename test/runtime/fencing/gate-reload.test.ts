import assert from "node:assert/strict";
import { test } from "node:test";
import { milliseconds, seconds } from "../../../agent/core/time.ts";
import { FakeLan } from "../fake-lan.ts";
import { address, config, host, instance, routerOf } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

const VIP = "192.0.2.100";
const OTHER = "192.0.2.101";

const fenced = (addresses: readonly string[], router: Parameters<typeof instance>[1] = {}) =>
  instance(
    "VI_1",
    { fenced: true, ...router },
    { addresses: addresses.map((one) => address(`${one}/24`)) },
  );

/** One host whose only router is active. */
async function active(router = fenced([VIP])) {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const one = host("a", time, lan, "192.0.2.1/24");
  await one.node.configure(config([router]));
  await time.advance(5_000);
  assert.ok(one.gate.isOpen(VIP));
  return { time, lan, one };
}

test("an address that a reload adds is reachable with the next advertisement", async () => {
  const { time, one } = await active();
  await one.node.configure(config([fenced([VIP, OTHER])]));
  await time.advance(1_100);
  assert.deepEqual(one.gate.guarded, [VIP, OTHER]);
  assert.ok(one.gate.isOpen(OTHER));
  await time.advance(10_000);
  assert.ok(one.gate.isOpen(OTHER) && one.gate.isOpen(VIP));
  await one.node.stop();
  assert.ok(one.gate.asked.some((asked) => asked === `shut ${VIP} ${OTHER}`));
});

test("an interval that a reload shortens shortens the lease as well", async () => {
  const { time, lan, one } = await active();
  await one.node.configure(config([fenced([VIP], { advertisementInterval: milliseconds(100) })]));
  await time.advance(5_000);
  assert.ok(one.gate.isOpen(VIP));
  lan.cut.add("a");
  await time.advance(310);
  assert.ok(!one.gate.isOpen(VIP), "a backup may be active by now");
});

test("an interval that a reload lengthens is not waited for behind a shut gate", async () => {
  const { time, one } = await active();
  await one.node.configure(config([fenced([VIP], { advertisementInterval: seconds(5) })]));
  for (let at = 0; at < 30_000; at += 100) {
    await time.advance(100);
    assert.ok(one.gate.isOpen(VIP), `${at} ms after it`);
  }
  assert.equal(routerOf(one).counters.leasesLapsed, 0);
});

test("an address that moves to another active router stays reachable", async () => {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const one = host("a", time, lan, "192.0.2.1/24");
  const router = (name: string, vrid: number, addresses: readonly string[]) =>
    instance(
      name,
      { vrid, fenced: true },
      { addresses: addresses.map((text) => address(`${text}/24`)) },
    );
  const third = "192.0.2.102";
  await one.node.configure(config([router("A", 1, [VIP, OTHER]), router("B", 2, [third])]));
  await time.advance(5_000);
  await one.node.configure(config([router("A", 1, [VIP]), router("B", 2, [third, OTHER])]));
  await time.advance(1_100);
  await one.node.configure(config([router("B", 2, [third, OTHER])]));
  for (let at = 0; at < 5_000; at += 100) {
    await time.advance(100);
    assert.ok(one.gate.isOpen(OTHER), `${at} ms after the first one is gone`);
  }
});

test("an address on an interface that comes back under another index is reachable there", async () => {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const one = host("a", time, lan, "192.0.2.1/24");
  one.network.addLink("eth1");
  const elsewhere = address(`${OTHER}/24`, { interface: "eth1", noTrack: true });
  const router = instance(
    "VI_1",
    { fenced: true },
    { addresses: [address(`${VIP}/24`), elsewhere] },
  );
  await one.node.configure(config([router]));
  await time.advance(5_000);
  one.network.removeLink("eth1");
  await time.advance(1_000);
  const places: string[] = [];
  const open = one.gate.open.bind(one.gate);
  one.gate.open = (openings) => {
    for (const { addresses } of openings) {
      places.push(...addresses.map((one) => `${one.interfaceIndex} ${one.address}`));
    }
    return open(openings);
  };
  one.network.addLink("eth1", { index: 99 });
  await time.advance(1_100);
  assert.ok(places.includes(`99 ${OTHER}`), places.join());
});
