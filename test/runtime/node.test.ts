import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_NOTIFY } from "../../agent/config/notifications.ts";
import { milliseconds, seconds } from "../../agent/core/time.ts";
import { FakeLan } from "./fake-lan.ts";
import type { TestHost } from "./fixtures.ts";
import { address, config, host, instance, routerOf } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

function lab(names: readonly string[] = ["a"]) {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const hosts = names.map((name, at) => host(name, time, lan, `192.0.2.${at + 1}/24`));
  const first = hosts[0];
  assert.ok(first);
  const priorities = (from: string) =>
    lan.sent.filter((one) => one.from === from).map((one) => one.priority);
  return { time, lan, hosts, first, priorities };
}

const states = (hosts: readonly TestHost[]): readonly string[] =>
  hosts.map((each) => routerOf(each).state);

const faults = (one: TestHost): readonly string[] =>
  routerOf(one).faults.map(({ cause, subject }) => `${cause} ${subject}`);

const messages = ({ reports }: TestHost): readonly string[] =>
  reports.map(({ subject, message }) => `${subject}: ${message}`);

test("alone, a node takes over after the down interval, installs, announces, advertises", async () => {
  const { time, lan, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  assert.equal(routerOf(first).state, "backup");
  await time.advance(3_600);
  assert.equal(routerOf(first).state, "backup");
  await time.advance(100);
  assert.equal(routerOf(first).state, "active");
  assert.deepEqual(first.network.present, ["192.0.2.1/24", "192.0.2.100/24"]);
  assert.deepEqual(first.frames, [
    { interfaceIndex: 2, address: "192.0.2.100" },
    { interfaceIndex: 2, address: "192.0.2.100" },
  ]);
  await time.advance(3_000);
  assert.equal(lan.sent.length, 4);
  assert.ok(lan.sent.every(({ priority, vrid }) => priority === 100 && vrid === 51));
  const gaps = lan.sent.slice(1).map(({ at }, each) => at - (lan.sent[each]?.at ?? 0));
  assert.deepEqual(gaps, [1_000_000, 1_000_000, 1_000_000]);
});

test("announcements wait until the address is there", async () => {
  const { time, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  first.network.hold = true;
  await time.advance(3_700);
  assert.equal(routerOf(first).state, "active");
  assert.deepEqual(first.frames, []);
  first.network.answer();
  await time.advance(1);
  assert.equal(first.frames.length, 2);
});

test("of two nodes the higher priority wins, resigns when it stops, and the other takes over", async () => {
  const { time, lan, hosts, priorities } = lab(["a", "b"]);
  const [a, b] = hosts;
  assert.ok(a && b);
  await a.node.configure(config([instance("VI_1", { priority: 150 })]));
  await b.node.configure(config([instance("VI_1", { priority: 100 })]));
  await time.advance(10_000);
  assert.deepEqual(states(hosts), ["active", "backup"]);
  assert.deepEqual(routerOf(b).active, { address: "192.0.2.1", priority: 150 });
  assert.equal(routerOf(b).peers[0]?.sameAddresses, true);
  const stopped = time.now;
  await a.node.stop();
  assert.equal(priorities("a").at(-1), 0);
  assert.deepEqual(a.network.present, ["192.0.2.1/24"]);
  await time.advance(700);
  assert.equal(routerOf(b).state, "active");
  assert.equal(routerOf(b).lastTransition?.reason, "active-resigned");
  const takeover = lan.sent.find(({ from }) => from === "b");
  // Skew of priority 100 at 1 s: 609 ms.
  assert.ok(takeover !== undefined && takeover.at - stopped < 620_000);
});

test("a resignation waits for the removal, but 100 ms at most", async () => {
  const { time, first, priorities } = lab();
  const other = instance("VI_2", { vrid: 52 }, { addresses: [address("192.0.2.110/24")] });
  await first.node.configure(config([instance("VI_1"), other]));
  await time.advance(4_000);
  first.network.hold = true;
  const sent = priorities("a").length;
  await first.node.configure(config([other]));
  await time.advance(90);
  assert.equal(priorities("a").length, sent, "nothing yet");
  await time.advance(20);
  assert.deepEqual(priorities("a").slice(sent), [0]);
  first.network.answer();
  await time.advance(200);
  assert.deepEqual(priorities("a").slice(sent), [0], "once");
});

test("the parting advertisement waits for the removal too", async () => {
  const { time, hosts, priorities } = lab(["a", "b"]);
  const [a, b] = hosts;
  assert.ok(a && b);
  const higherPrioSendAdvert = true;
  await a.node.configure(config([instance("VI_1", { priority: 100, higherPrioSendAdvert })]));
  await time.advance(5_000);
  const before = priorities("a").length;
  a.network.hold = true;
  await b.node.configure(config([instance("VI_1", { priority: 255 })]));
  await time.advance(90);
  assert.deepEqual(states(hosts), ["backup", "active"]);
  assert.equal(priorities("a").length, before, "nothing while the address is there");
  a.network.answer();
  await time.advance(1);
  assert.deepEqual(priorities("a").slice(before), [100]);
});

test("255 takeovers at once are one batch", async () => {
  const { time, first } = lab();
  const instances = Array.from({ length: 255 }, (_, at) =>
    instance(`VI_${at + 1}`, { vrid: at + 1 }, { addresses: [address(`10.0.0.${at + 1}/32`)] }),
  );
  await first.node.configure(config(instances));
  await time.advance(4_000);
  assert.equal(first.network.batches.length, 1);
  assert.equal(first.network.present.length, 256);
  assert.equal(first.frames.length, 2 * 255);
});

test("routers of one interface share a socket; the last one closes it", async () => {
  const { lan, first } = lab();
  const two = [instance("VI_1"), instance("VI_2", { vrid: 52 })];
  await first.node.configure(config(two));
  assert.equal(lan.opened.length, 1);
  await first.node.configure(config(two.slice(1)));
  assert.equal(lan.closed.length, 0);
  await first.node.stop();
  assert.equal(lan.closed.length, 1);
});

test("without its interface a router is in fault, and starts when it appears", async () => {
  const { time, first } = lab();
  await first.node.configure(config([instance("VI_1", {}, { interface: "eth9" })]));
  assert.equal(routerOf(first).state, "fault");
  assert.deepEqual(faults(first), ["interface-missing eth9"]);
  first.network.addLink("eth9");
  await time.advance(1);
  assert.deepEqual(faults(first), ["source-address-missing eth9"]);
  first.network.addAddress("eth9", "192.0.2.9/24");
  await time.advance(4_000);
  assert.equal(routerOf(first).state, "active");
});

test("link loss: fault, two resignations, the address gone; back again as a backup", async () => {
  const { time, first, priorities } = lab();
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  first.network.setLink("eth0", { running: false });
  await time.advance(1);
  assert.equal(routerOf(first).state, "fault");
  assert.deepEqual(faults(first), ["interface-down eth0"]);
  assert.deepEqual(priorities("a").slice(-2), [0, 0]);
  assert.deepEqual(first.network.present, ["192.0.2.1/24"]);
  first.network.setLink("eth0", { running: true });
  await time.advance(1);
  assert.equal(routerOf(first).state, "backup");
});

test("an interface with a delay does not count as down before it", async () => {
  const { time, first } = lab();
  const delays = [{ interface: "eth0", down: seconds(2), up: seconds(1) }];
  await first.node.configure(config([instance("VI_1")], { interfaceDelays: delays }));
  await time.advance(4_000);
  first.network.setLink("eth0", { running: false });
  await time.advance(1_900);
  first.network.setLink("eth0", { running: true });
  await time.advance(1_000);
  assert.equal(routerOf(first).state, "active");
  first.network.setLink("eth0", { running: false });
  await time.advance(2_100);
  assert.equal(routerOf(first).state, "fault");
});

test("an interface that comes back with another index is bound anew", async () => {
  const { time, lan, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  first.network.removeLink("eth0");
  await time.advance(10);
  assert.deepEqual(faults(first), ["interface-missing eth0"]);
  first.network.addLink("eth0", { index: 77 });
  first.network.addAddress("eth0", "192.0.2.1/24");
  await time.advance(4_000);
  assert.equal(routerOf(first).state, "active");
  assert.equal(lan.opened.at(-1)?.interfaceIndex, 77);
  assert.equal(first.frames.at(-1)?.interfaceIndex, 77);
});

test("an address that somebody removed is put back; again and again: another node shall have it", async () => {
  const { time, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  const steal = async () => {
    const present = first.network.find("192.0.2.100");
    assert.ok(present);
    first.network.dropAddress(present);
    await time.advance(10);
  };
  const before = first.frames.length;
  await steal();
  assert.ok(first.network.find("192.0.2.100"));
  assert.equal(first.frames.length, before + 1, "announced again");
  await steal();
  await steal();
  assert.equal(routerOf(first).state, "fault");
  assert.deepEqual(faults(first), ["address-lost 192.0.2.100"]);
  assert.equal(first.network.find("192.0.2.100"), undefined);
  await time.advance(10_100);
  assert.equal(routerOf(first).state, "backup");
});

test("a tracked interface changes the priority; without a weight its loss is a fault", async () => {
  const { time, first } = lab();
  first.network.addLink("eth1");
  first.network.addLink("eth2");
  const trackInterfaces = [
    { interface: "eth1", weight: -30, reverse: false },
    { interface: "eth2", weight: 0, reverse: false },
  ];
  await first.node.configure(config([instance("VI_1", {}, { trackInterfaces })]));
  assert.equal(routerOf(first).priority.effective, 100);
  first.network.setLink("eth1", { running: false });
  await time.advance(1);
  const { priority } = routerOf(first);
  assert.equal(priority.effective, 70);
  assert.equal(priority.contributions[0]?.source, "track_interface eth1");
  assert.ok(messages(first).includes("VI_1: priority 100 to 70"));
  first.network.setLink("eth2", { up: false });
  await time.advance(1);
  assert.deepEqual(faults(first), ["tracked-interface-down eth2"]);
});

test("members of a sync group are active together or not at all", async () => {
  const { time, first } = lab();
  first.network.addLink("eth1");
  first.network.addAddress("eth1", "198.51.100.1/24");
  const members = [
    instance("VI_1", {}, { syncGroup: "G" }),
    instance("VI_2", { vrid: 52 }, { syncGroup: "G", interface: "eth1", addresses: [] }),
  ];
  const group = {
    position: { file: "", line: 1, column: 1 },
    name: "G",
    members: ["VI_1", "VI_2"],
    trackInterfaces: [],
    trackers: [],
    notify: NO_NOTIFY,
    weightedTracking: false,
  };
  const whole = config(members, { syncGroups: [group] });
  await first.node.configure(whole);
  await time.advance(8_000);
  const both = () => ["VI_1", "VI_2"].map((name) => routerOf(first, name).state);
  assert.deepEqual(both(), ["active", "active"]);
  assert.equal(first.node.groups()[0]?.state, "active");
  first.network.setLink("eth1", { running: false });
  await time.advance(1);
  assert.deepEqual(both(), ["fault", "fault"]);
  assert.deepEqual(faults(first), ["sync-group G"]);
  first.network.setLink("eth1", { running: true });
  await time.advance(8_000);
  assert.deepEqual(both(), ["active", "active"]);
});

test("what waits in the socket after a stall is heard before the down timer acts", async () => {
  const { time, lan, hosts } = lab(["a", "b"]);
  const [a, b] = hosts;
  assert.ok(a && b);
  await a.node.configure(config([instance("VI_1", { priority: 150 })]));
  await b.node.configure(config([instance("VI_1", { priority: 100 })]));
  await time.advance(10_000);
  lan.stalled.add("b");
  // The virtual timers of b do not fire either: a moves on by its own hand.
  const transitions = routerOf(b).counters.becameActive;
  await time.advance(3_000);
  time.stall(800);
  await time.advance(1);
  lan.stalled.delete("b");
  await time.advance(100);
  assert.equal(routerOf(b).counters.becameActive, transitions);
  assert.equal(routerOf(b).state, "backup");
});

test("bad packets are counted by their reason, and one line in ten seconds tells of them", async () => {
  const { time, lan, hosts } = lab(["a", "b"]);
  const [a, b] = hosts;
  assert.ok(a && b);
  await b.node.configure(config([instance("VI_1", { priority: 150 })]));
  await time.advance(4_000);
  await a.node.configure(config([instance("VI_1")]));
  const good = lan.sent[0]?.bytes;
  assert.ok(good);
  const bad = good.slice();
  bad[26] = (bad[26] ?? 0) ^ 0xff;
  for (let each = 0; each < 1_000; each += 1) lan.inject(bad);
  assert.equal(routerOf(a).counters.dropped.checksum, 1_000);
  const lines = () => messages(a).filter((line) => line.includes("checksum"));
  assert.equal(lines().length, 1);
  await time.advance(10_500);
  lan.inject(bad);
  assert.equal(lines().length, 2);
  assert.ok(lines()[1]?.includes("[1000 times]"), lines()[1]);
});

test("what the kernel refuses is told with the router's name", async () => {
  const { time, first } = lab();
  first.network.refuse = () => "EACCES";
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  assert.ok(messages(first).includes("VI_1: refused: EACCES"));
  assert.equal(routerOf(first).addresses[0]?.installed, false);
});

test("a startup delay holds every router back, and only at the start", async () => {
  const { time, first } = lab();
  const global = { startupDelay: seconds(5) };
  await first.node.configure(config([instance("VI_1")], { global }));
  await time.advance(4_900);
  assert.equal(routerOf(first).state, "initialize");
  await time.advance(200);
  assert.equal(routerOf(first).state, "backup");
  await first.node.configure(
    config([instance("VI_1"), instance("VI_2", { vrid: 52 })], { global }),
  );
  assert.equal(routerOf(first, "VI_2").state, "backup");
});

test("static addresses are there while the agent runs; a group that lost one faults its instances", async () => {
  const { time, first } = lab();
  const staticAddresses = [
    address("192.0.2.200/24", { interface: "eth0", trackGroup: "T" }),
    address("192.0.2.201/24", { interface: "eth9", trackGroup: "T" }),
  ];
  const trackGroups = [{ name: "T", instances: ["VI_1"] }];
  await first.node.configure(config([instance("VI_1")], { staticAddresses, trackGroups }));
  await time.advance(1);
  assert.ok(first.network.find("192.0.2.200"));
  assert.deepEqual(faults(first), ["track-group-lost T"]);
  first.network.addLink("eth9");
  await time.advance(1);
  assert.ok(first.network.find("192.0.2.201"));
  assert.equal(routerOf(first).state, "backup");
  await first.node.stop();
  assert.deepEqual(first.network.present, ["192.0.2.1/24"]);
});

test("announcements keep the pace of their interface", async () => {
  const { time, first } = lab();
  const pace = {
    interfaces: "*",
    arpInterval: milliseconds(100),
    naInterval: milliseconds(0),
  } as const;
  const addresses = [address("192.0.2.100/24"), address("192.0.2.101/24")];
  const paced = config([instance("VI_1", {}, { addresses })], { announcementPaces: [pace] });
  await first.node.configure(paced);
  await time.advance(3_650);
  const soon = first.frames.length;
  assert.equal(soon, 1);
  await time.advance(310);
  assert.equal(first.frames.length, 4);
});
