import assert from "node:assert/strict";
import { test } from "node:test";
import { milliseconds } from "../../../agent/core/time.ts";
import { KernelError } from "../../../agent/ports/error.ts";
import { FakeLan } from "../fake-lan.ts";
import type { TestHost } from "../fixtures.ts";
import { address, config, host, instance, routerOf } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

const VIP = "192.0.2.100";
const MISSING = new KernelError("ENOENT", "no nf_tables", "modprobe nf_tables");

type Instance = Parameters<typeof instance>;

const fenced = (priority = 100, change: Instance[2] = {}, router: Instance[1] = {}) =>
  instance(
    "VI_1",
    { priority, fenced: true, ...router },
    { addresses: [address(`${VIP}/24`)], ...change },
  );

function lab(names: readonly string[] = ["a"]) {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const hosts = names.map((name, at) => host(name, time, lan, `192.0.2.${at + 1}/24`));
  const [first, second = first] = hosts;
  assert.ok(first && second);
  return { time, lan, first, second };
}

const gateOf = (one: TestHost) => routerOf(one).fencing.gate?.state;

const messages = ({ reports }: TestHost): string =>
  reports.map(({ subject, message }) => `${subject}: ${message}`).join("\n");

test("a new active router is behind the gate before it has the address, and reachable 1 ms later", async () => {
  const { time, first } = lab();
  await first.node.configure(config([fenced()]));
  assert.deepEqual(first.gate.guarded, [], "a backup filters nothing");
  await time.advance(3_609);
  assert.equal(routerOf(first).state, "backup");
  await time.advance(1);
  assert.equal(routerOf(first).state, "active");
  assert.deepEqual(first.gate.asked, [`guard ${VIP}`]);
  assert.deepEqual(first.network.present, ["192.0.2.1/24", `${VIP}/24`]);
  assert.equal(gateOf(first), "contested");
  assert.deepEqual(first.frames, [], "nobody is drawn to a gate that is shut");
  await time.advance(1);
  assert.ok(first.gate.isOpen(VIP));
  assert.equal(gateOf(first), "open");
  assert.equal(first.frames.length, 2);
});

test("every advertisement that leaves extends the lease; none of them, and the kernel shuts it", async () => {
  const { time, lan, first } = lab();
  await first.node.configure(config([fenced()]));
  await time.advance(20_000);
  assert.ok(first.gate.isOpen(VIP));
  lan.cut.add("a");
  await time.advance(1_490);
  assert.ok(first.gate.isOpen(VIP));
  await time.advance(1_100);
  assert.ok(!first.gate.isOpen(VIP), "the last one left 2.5 s ago");
  assert.equal(routerOf(first).state, "active", "its machine does not know");
  lan.cut.clear();
  first.holders.held.add(VIP);
  await time.advance(1_000);
  assert.equal(routerOf(first).counters.leasesLapsed, 1);
  assert.equal(gateOf(first), "contested");
  first.holders.held.clear();
  await time.advance(10);
  assert.equal(gateOf(first), "open", "nobody answered for the address");
});

test("an address that was there before is not kept behind the gate", async () => {
  const { time, lan, first } = lab();
  first.network.addAddress("eth0", `${VIP}/24`);
  const both = { addresses: [`${VIP}/24`, "192.0.2.101/24"].map((one) => address(one)) };
  await first.node.configure(config([fenced(100, both)]));
  await time.advance(5_000);
  assert.equal(routerOf(first).state, "active");
  assert.deepEqual(first.gate.guarded, ["192.0.2.101"]);
  lan.cut.add("a");
  await time.advance(5_000);
  assert.ok(first.gate.isOpen(VIP));
  assert.ok(!first.gate.isOpen("192.0.2.101"));
  await first.node.configure(config([]));
  await time.advance(500);
  assert.ok(first.network.find(VIP));
});

test("who preempts is reachable when the other one does not answer any more", async () => {
  const { time, first, second } = lab(["a", "b"]);
  await second.node.configure(config([fenced(100)]));
  await time.advance(5_000);
  assert.equal(gateOf(second), "open");
  first.holders.held.add(VIP);
  await first.node.configure(config([fenced(200)]));
  await time.advance(3_300);
  assert.equal(routerOf(first).state, "active");
  assert.equal(routerOf(second).state, "backup");
  assert.deepEqual(second.gate.guarded, [], "its address is gone, and nothing is said of it");
  assert.equal(gateOf(first), "contested");
  first.holders.held.clear();
  await time.advance(10);
  assert.equal(gateOf(first), "open");
});

test("an extension that reaches the kernel too late shuts the gate, which opens for what is left", async () => {
  const { time, first } = lab();
  await first.node.configure(config([fenced()]));
  await time.advance(5_000);
  first.gate.delay = milliseconds(251);
  await time.advance(1_000);
  assert.equal(routerOf(first).counters.gateLate, 1);
  assert.ok(first.gate.isOpen(VIP));
});

test("extensions of many routers reach the kernel together", async () => {
  const { time, first } = lab();
  const routers = Array.from({ length: 50 }, (_, at) =>
    instance(
      `VI_${at}`,
      { vrid: at + 1, fenced: true },
      { addresses: [address(`192.0.2.${at + 100}/32`)] },
    ),
  );
  await first.node.configure(config(routers));
  await time.advance(10_000);
  const before = first.gate.asked.length;
  await time.advance(1_000);
  assert.ok(first.gate.asked.length - before <= 2, `${first.gate.asked.length - before}`);
});

test("also those of advertisements that leave within a tenth of an interval", async () => {
  const { time, first } = lab();
  const other = { addresses: [address("192.0.2.101/32")] };
  const routers = [fenced(), instance("VI_2", { vrid: 52, fenced: true }, other)];
  await first.node.configure(config(routers.slice(0, 1)));
  await time.advance(90);
  await first.node.configure(config(routers));
  await time.advance(5_900);
  const before = first.gate.asked.length;
  await time.advance(3_000);
  const together = `open ${VIP} | 192.0.2.101`;
  assert.deepEqual(first.gate.asked.slice(before), [together, together, together]);
});

test("an extension waits for no other when its lease is about to run out", async () => {
  const { time, first } = lab();
  await first.node.configure(config([fenced(100, {}, { downTimerAdverts: 2 })]));
  await time.advance(2_610 + 3_990);
  time.stall(450);
  await time.advance(1);
  for (let waited = 0; waited < 150; waited += 10) {
    await time.advance(10);
    assert.ok(first.gate.isOpen(VIP), `shut ${waited} ms after an advertisement 0.44 s late`);
  }
});

test("without a gate in the kernel, auto goes on with lifetimes and says so", async () => {
  const { time, first } = lab();
  first.gate.problem = MISSING;
  await first.node.configure(config([fenced()]));
  await time.advance(4_000);
  assert.equal(routerOf(first).state, "active");
  assert.equal(routerOf(first).fencing.kind, "lifetime");
  assert.match(messages(first), /gate: no gate: no nf_tables; two nodes may answer.*modprobe/u);
  first.gate.problem = undefined;
  await time.advance(6_000);
  assert.equal(routerOf(first).fencing.kind, "gate", "it is tried again");
  assert.equal(gateOf(first), "open");
});

test("without a gate in the kernel, who asked for it is in fault", async () => {
  const { time, first } = lab();
  first.gate.problem = MISSING;
  await first.node.configure(config([fenced(100, { fencing: "gate" })]));
  await time.advance(4_000);
  assert.equal(routerOf(first).state, "fault");
  assert.deepEqual(routerOf(first).faults, [{ cause: "packet-filter", subject: "nf_tables" }]);
});

test("a stop shuts the gate before it resigns, and leaves nothing", async () => {
  const { time, first } = lab();
  await first.node.configure(config([fenced()]));
  await time.advance(5_000);
  await first.node.stop();
  assert.ok(first.gate.asked.includes(`shut ${VIP}`));
  assert.deepEqual(first.gate.guarded, []);
});
