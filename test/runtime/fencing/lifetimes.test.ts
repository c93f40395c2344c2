import assert from "node:assert/strict";
import { test } from "node:test";
import { seconds } from "../../../agent/core/time.ts";
import { FakeLan } from "../fake-lan.ts";
import type { TestHost } from "../fixtures.ts";
import { address, config, host, instance, routerOf } from "../fixtures.ts";
import { VirtualTime } from "../virtual-time.ts";

const VIP = "192.0.2.100";

type Instance = Parameters<typeof instance>;

const limited = (router: Instance[1] = {}, change: Instance[2] = {}) =>
  instance("VI_1", router, { addresses: [address(`${VIP}/24`)], fencing: "auto", ...change });

function lab(names: readonly string[] = ["a"]) {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const hosts = names.map((name, at) => host(name, time, lan, `192.0.2.${at + 1}/24`));
  const [first, second = first] = hosts;
  assert.ok(first && second);
  return { time, lan, first, second };
}

const refreshed = ({ network }: TestHost): readonly string[] =>
  network.refreshes.map(({ what }) => what.join(", "));

const warnings = ({ reports }: TestHost): readonly string[] =>
  reports
    .filter(({ kind }) => kind === "alarm")
    .map(({ subject, message }) => `${subject}: ${message}`);

test("an active router's addresses are refreshed every 1.5 s, all in one batch", async () => {
  const { time, first } = lab();
  const many = Array.from({ length: 255 }, (_, at) =>
    instance(`V${at}`, { vrid: at + 1 }, { addresses: [address(`198.51.${at}.1/32`)] }),
  );
  await first.node.configure(config(many));
  await time.advance(3_500);
  assert.equal(first.network.refreshes.length, 0, "backups have nothing");
  await time.advance(6_400);
  const sizes = first.network.refreshes.map(({ what }) => what.length);
  assert.deepEqual(sizes, [255, 255, 255, 255]);
  assert.ok(first.network.refreshes[0]?.what.includes("198.51.7.1 5"));
});

test("a lifetime goes by the interval; alone it is as short as can be; who owns addresses has none", async () => {
  const { time, first } = lab();
  const router = (vrid: number, change: Instance[1], more: Instance[2] = {}) =>
    instance(
      `V${vrid}`,
      { vrid, ...change },
      { addresses: [address(`198.51.100.${vrid}/32`)], ...more },
    );
  await first.node.configure(
    config([
      router(1, { advertisementInterval: seconds(0.1) }),
      router(2, {}, { fencing: "lifetime" }),
      router(3, {}, { fencing: "off" }),
      router(4, { priority: 255 }, { fencing: "lifetime" }),
    ]),
  );
  await time.advance(8_000);
  first.network.refreshes.length = 0;
  await time.advance(10_000);
  const counts = new Map<string, number>();
  for (const { what } of first.network.refreshes) {
    for (const one of what) counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].sort(), ["198.51.100.1 3", "198.51.100.2 1"]);
  assert.ok((counts.get("198.51.100.1 3") ?? 0) >= 9);
  assert.ok((counts.get("198.51.100.2 1") ?? 0) >= 24);
  const kinds = ["V1", "V2", "V3", "V4"].map((name) => routerOf(first, name).fencing.kind);
  assert.deepEqual(kinds, ["lifetime", "lifetime", "off", "off"]);
});

test("nothing is refreshed that was given up", async () => {
  const { time, first } = lab();
  await first.node.configure(config([limited()]));
  await time.advance(5_000);
  first.network.refreshes.length = 0;
  await first.node.configure(config([]));
  await time.advance(5_000);
  assert.deepEqual(first.network.refreshes, []);
});

test("a reload that changes fencing changes lifetimes, and the address stays", async () => {
  const { time, first } = lab();
  await first.node.configure(config([limited({}, { fencing: "off" })]));
  await time.advance(5_000);
  assert.deepEqual(first.network.refreshes, []);
  await first.node.configure(config([limited()]));
  await time.advance(2_000);
  assert.deepEqual(refreshed(first).slice(-1), [`${VIP} 5`]);
  await first.node.configure(config([limited({}, { fencing: "off" })]));
  first.network.refreshes.length = 0;
  await time.advance(5_000);
  assert.deepEqual(first.network.refreshes, []);
  const verbs = first.network.batches.map(({ verb }) => verb);
  assert.deepEqual(verbs, ["install addresses", "install addresses", "install addresses"]);
});

test("a preferred lifetime counts from when the address was taken", async () => {
  const { time, first } = lab();
  const addresses = [address(`${VIP}/24`, { preferredLifetime: 4 })];
  await first.node.configure(config([limited({}, { addresses })]));
  await time.advance(9_000);
  assert.deepEqual(
    refreshed(first),
    [3, 1, 0].map((left) => `${VIP} 5 ${left}`),
  );
});

test("refused refreshes are told once, until they are granted", async () => {
  const { time, first } = lab();
  await first.node.configure(config([limited()]));
  await time.advance(4_000);
  first.network.refuseRefresh = () => "ENOBUFS";
  await time.advance(3_000);
  const told = "lifetime: refused: ENOBUFS; what is not refreshed is removed by the kernel";
  assert.deepEqual(warnings(first), [told]);
  first.network.refuseRefresh = undefined;
  await time.advance(2_000);
  const before = first.network.refreshes.length;
  await time.advance(4_500);
  assert.equal(first.network.refreshes.length, before + 3);
  assert.deepEqual(warnings(first), [told]);
});

test("an address whose end would take others along is told of once", async () => {
  const { time, first } = lab();
  await first.node.configure(config([limited()]));
  first.network.unlimited = true;
  await time.advance(10_000);
  assert.deepEqual(warnings(first), [
    `lifetime: ${VIP}/24 on eth0 has no lifetime, and stays if this agent dies: other addresses of its prefix would go with it; set net.ipv4.conf.eth0.promote_secondaries to 1`,
  ]);
});

test("the gate's rules outlive the agent for longer than the address does", async () => {
  const { time, first } = lab();
  await first.node.configure(
    config([limited({ fenced: true, advertisementInterval: seconds(10) })]),
  );
  await time.advance(40_000);
  assert.equal(routerOf(first).fencing.kind, "gate");
  assert.deepEqual(first.gate.keeps, [seconds(36 + 10)]);
});

/** The process stands still until the kernel has removed the address. */
function standStill({ time, first }: ReturnType<typeof lab>): void {
  time.stall(6_000);
  const gone = first.network.find(VIP);
  assert.ok(gone !== undefined);
  first.network.dropAddress(gone);
}

test("what ended while the process stood still is put back if nobody took it over", async () => {
  const all = lab();
  const { time, first } = all;
  await first.node.configure(config([limited()]));
  await time.advance(5_000);
  const frames = first.frames.length;
  standStill(all);
  assert.equal(first.network.find(VIP), undefined);
  await time.advance(1);
  assert.ok(first.network.find(VIP) !== undefined);
  assert.ok(first.frames.length > frames, "announced anew");
  assert.deepEqual(
    warnings(first).filter((one) => one.startsWith("VI_1")),
    [`VI_1: ${VIP} was removed by the kernel, as this process stood still: put back`],
  );
});

test("what another node took over meanwhile is not put back, not even for a moment", async () => {
  const all = lab();
  const { time, lan, first } = all;
  await first.node.configure(config([limited()]));
  await time.advance(5_000);
  const clock = new VirtualTime();
  const second = host("b", clock, lan, "192.0.2.2/24");
  // What it says waits in the sockets of the one that stands still.
  lan.stalled.add("a");
  await second.node.configure(config([limited({ priority: 200 })]));
  await clock.advance(5_000);
  assert.equal(routerOf(second).state, "active");
  const { length } = first.network.batches;
  const frames = first.frames.length;
  standStill(all);
  await time.advance(1);
  assert.equal(routerOf(first).state, "backup");
  assert.deepEqual(first.network.batches.slice(length), []);
  assert.equal(first.frames.length, frames);
  await time.advance(2_000);
  assert.equal(first.network.find(VIP), undefined);
});
