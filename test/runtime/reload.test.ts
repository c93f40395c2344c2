import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError } from "../../agent/ports/error.ts";
import { FakeLan } from "./fake-lan.ts";
import { address, config, host, instance, routerOf } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

async function running(instances = [instance("VI_1"), instance("VI_2", { vrid: 52 })]) {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const one = host("a", time, lan, "192.0.2.1/24");
  await one.node.configure(config(instances));
  await time.advance(4_000);
  const times = (vrid: number) => lan.sent.filter((p) => p.vrid === vrid).map((p) => p.at);
  return { time, lan, one, times };
}

test("routers that stay send every advertisement on time, across many reloads", async () => {
  const { time, one, times } = await running();
  for (let each = 0; each < 10; each += 1) {
    await time.advance(333);
    const extra = instance(`VI_${3 + (each % 2)}`, { vrid: 60 + (each % 2) });
    await one.node.configure(config([instance("VI_1"), instance("VI_2", { vrid: 52 }), extra]));
  }
  for (const vrid of [51, 52]) {
    const sent = times(vrid);
    const gaps = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
    assert.ok(gaps.length >= 3 && gaps.every((gap) => gap === 1_000_000), gaps.join(" "));
  }
  assert.equal(routerOf(one).counters.becameActive, 1);
});

test("a plan says what became of each router", async () => {
  const { one } = await running();
  const plan = await one.node.configure(
    config([instance("VI_1", { priority: 120 }), instance("VI_3", { vrid: 53 })]),
  );
  assert.deepEqual(plan, { added: ["VI_3"], removed: ["VI_2"], replaced: [], kept: ["VI_1"] });
});

test("a kept router that is active: only the differences of its addresses reach the host", async () => {
  const { time, lan, one } = await running([instance("VI_1")]);
  const before = one.network.batches.length;
  const addresses = [address("192.0.2.100/24"), address("192.0.2.101/24")];
  await one.node.configure(config([instance("VI_1", {}, { addresses })]));
  await time.advance(1);
  assert.deepEqual(one.network.batches.slice(before), [
    { verb: "install addresses", what: ["192.0.2.101/24"] },
  ]);
  assert.ok(one.frames.some((frame) => frame.address === "192.0.2.101"));
  await time.advance(1_000);
  assert.equal(lan.sent.at(-1)?.bytes[23], 2, "two addresses in the advertisement");
});

test("an address that moves from one router to another stays on the host throughout", async () => {
  const { time, one } = await running([
    instance("VI_1"),
    instance("VI_2", { vrid: 52 }, { addresses: [address("192.0.2.110/24")] }),
  ]);
  const gone: string[] = [];
  one.network.subscribe((event) => {
    if (event.kind === "address-removed") gone.push(event.address.address);
  });
  const moved = [address("192.0.2.110/24"), address("192.0.2.100/24")];
  await one.node.configure(
    config([
      instance("VI_1", {}, { addresses: [] }),
      instance("VI_2", { vrid: 52 }, { addresses: moved }),
    ]),
  );
  await time.advance(10);
  assert.deepEqual(gone, []);
});

test("a router that is removed resigns and lets go; one that changes its VRID is replaced", async () => {
  const { time, lan, one } = await running();
  await one.node.configure(config([instance("VI_1", { vrid: 99 })]));
  await time.advance(150);
  const last = (vrid: number) => lan.sent.filter((p) => p.vrid === vrid).at(-1)?.priority;
  assert.deepEqual([last(51), last(52)], [0, 0]);
  assert.equal(one.network.find("192.0.2.100"), undefined);
  assert.equal(routerOf(one).state, "backup");
});

test("a socket that cannot be had leaves everything as it was", async () => {
  const { time, lan, one, times } = await running();
  const closed = lan.closed.length;
  one.network.addLink("eth1");
  one.network.addAddress("eth1", "198.51.100.1/24");
  lan.refuseOpen = "no more sockets";
  const wanted = [
    instance("VI_1", {}, { addresses: [] }),
    instance("VI_3", {}, { interface: "eth1" }),
  ];
  await assert.rejects(one.node.configure(config(wanted)), KernelError);
  lan.refuseOpen = undefined;
  await time.advance(3_000);
  assert.equal(routerOf(one).state, "active");
  assert.equal(routerOf(one, "VI_2").state, "active");
  assert.equal([...one.node.snapshot()].length, 2);
  assert.ok(one.network.find("192.0.2.100"));
  assert.equal(lan.closed.length, closed);
  const sent = times(51);
  assert.ok(sent.slice(1).every((at, index) => at - (sent[index] ?? 0) === 1_000_000));
  await one.node.configure(config(wanted));
  assert.equal(routerOf(one, "VI_3").state, "backup");
});

test("a renamed router runs on", async () => {
  const { one, lan } = await running([instance("VI_1")]);
  const plan = await one.node.configure(config([instance("OTHER")]));
  assert.deepEqual(plan.kept, ["OTHER"]);
  assert.equal(routerOf(one, "OTHER").state, "active");
  assert.ok(lan.sent.every(({ priority }) => priority !== 0));
});

test("a virtual link of a replaced router goes when the router is gone", async () => {
  const link = {
    kind: "macvlan",
    name: "vrrp.51",
    mac: undefined,
    transmitOnBase: false,
    group: undefined,
  } as const;
  const { time, one, lan } = await running([instance("VI_1", {}, { virtualLink: link })]);
  const made = one.network.linkByName("vrrp.51");
  assert.equal(made?.mac, "00:00:5e:00:01:33");
  assert.equal(lan.opened.at(-1)?.interfaceIndex, made?.index);
  assert.equal(one.network.find("192.0.2.100")?.interfaceIndex, made?.index);
  await one.node.configure(config([instance("VI_1")]));
  await time.advance(150);
  assert.equal(one.network.linkByName("vrrp.51"), undefined);
});
