import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeLan } from "../fake-lan.ts";
import type { TestHost } from "../fixtures.ts";
import { address, config, host, instance, routerOf } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

const VIP = "192.0.2.100";
const MAC = "02:00:00:00:00:09";

async function activeHost(instances = [instance("VI_1")]) {
  const time = new VirtualTime();
  const one = host("a", time, new FakeLan(() => time.now), "192.0.2.1/24");
  await one.node.configure(config(instances));
  await time.advance(4_000);
  assert.equal(routerOf(one).state, "active");
  return { time, one };
}

const told = ({ reports }: TestHost): readonly string[] =>
  reports
    .filter(({ detail }) => detail["alarm"] === "address-claimed-elsewhere")
    .map(({ detail, level }) => {
      const { from, address: of, over } = detail;
      return `${level} ${String(from)} ${String(of)}${over === true ? " over" : ""}`;
    });

test("another host that answers is told of within 6 s, once, and so is its end", async () => {
  const { time, one } = await activeHost();
  one.holders.held.add(VIP);
  await time.advance(6_100);
  assert.deepEqual(told(one), [`warn ${MAC} ${VIP}`]);
  await time.advance(60_000);
  assert.equal(told(one).length, 1);
  assert.deepEqual(routerOf(one).counters.alarms, { "address-claimed-elsewhere": 1 });
  one.holders.held.clear();
  await time.advance(6_100);
  assert.deepEqual(told(one), [`warn ${MAC} ${VIP}`, `info ${MAC} ${VIP} over`]);
});

test("one answer may be that of a moment", async () => {
  const { time, one } = await activeHost();
  one.holders.held.add(VIP);
  await time.advance(5_500);
  one.holders.held.clear();
  await time.advance(30_000);
  assert.ok(one.holders.asked.length >= 6);
  assert.deepEqual(told(one), []);
});

test("a node that leaves asks no more, and takes back what it said", async () => {
  const { time, one } = await activeHost();
  one.holders.held.add(VIP);
  await time.advance(10_000);
  one.network.setLink("eth0", { running: false });
  await time.advance(1_000);
  assert.deepEqual(told(one), [`warn ${MAC} ${VIP}`, `info ${MAC} ${VIP} over`]);
  const { length } = one.holders.asked;
  await time.advance(30_000);
  assert.equal(one.holders.asked.length, length);
});

test("an answer with a MAC of this host's own is no other host's", async () => {
  const { time, one } = await activeHost();
  one.network.addLink("vrrp.51", { mac: MAC });
  one.holders.held.add(VIP);
  await time.advance(30_000);
  assert.deepEqual(told(one), []);
});

test("many routers ask in turns: no more than 20 questions a second", async () => {
  const many = Array.from({ length: 200 }, (_, nth) =>
    instance(
      nth === 0 ? "VI_1" : `V${nth}`,
      { vrid: nth + 1 },
      {
        addresses: [address(`198.51.100.${nth}/32`)],
      },
    ),
  );
  const { time, one } = await activeHost(many);
  await time.advance(6_000);
  one.holders.asked.length = 0;
  await time.advance(10_000);
  assert.ok(one.holders.asked.length >= 195 && one.holders.asked.length <= 201);
  assert.ok(new Set(one.holders.asked).size >= 195, "each has its turn");
});
