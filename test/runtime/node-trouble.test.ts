import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_NOTIFY } from "../../agent/config/notifications.ts";
import { FakeLan } from "./fake-lan.ts";
import { address, config, host, instance, routerOf } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

function lab() {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const first = host("a", time, lan, "192.0.2.1/24");
  return { time, lan, first };
}

const counted = (batches: readonly { readonly verb: string }[], verb: string): number =>
  batches.filter((one) => one.verb === verb).length;

test("an address that the host did not take is tried again, and announced once it is there", async () => {
  const { time, first } = lab();
  first.network.refuse = () => "ENOBUFS";
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  assert.equal(routerOf(first).state, "active");
  assert.equal(routerOf(first).addresses[0]?.installed, false);
  assert.deepEqual(first.frames, [], "nobody is told of what is not there");
  first.network.refuse = undefined;
  await time.advance(5_000);
  assert.equal(routerOf(first).addresses[0]?.installed, true);
  assert.ok(first.frames.length > 0);
});

test("a router whose addresses the host refuses twice in a row is in fault: a peer had better have them", async () => {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const [a, b] = [host("a", time, lan, "192.0.2.1/24"), host("b", time, lan, "192.0.2.2/24")];
  a.network.refuse = () => "EINVAL";
  await a.node.configure(config([instance("VI_1", { priority: 200 })]));
  await b.node.configure(config([instance("VI_1")]));
  await time.advance(3_500);
  assert.equal(routerOf(a).state, "active");
  await time.advance(2_000);
  assert.deepEqual(
    routerOf(a).faults.map(({ cause, subject }) => `${cause} ${subject}`),
    ["address-lost all of its addresses"],
  );
  assert.equal(routerOf(b).state, "active");
  assert.deepEqual(b.network.present, ["192.0.2.2/24", "192.0.2.100/24"]);
  a.network.refuse = undefined;
  await time.advance(130_000);
  assert.equal(routerOf(a).addresses[0]?.installed, true, "the host grants them now");
});

test("some of the addresses are better than none: that is no fault", async () => {
  const { time, first } = lab();
  first.network.refuse = ({ address: { address: one } }) =>
    one === "192.0.2.101" ? "EINVAL" : undefined;
  const addresses = [address("192.0.2.100/24"), address("192.0.2.101/24")];
  await first.node.configure(config([instance("VI_1", {}, { addresses })]));
  await time.advance(60_000);
  assert.equal(routerOf(first).state, "active");
});

test("who cannot hear the group does not take over: it might be the second", async () => {
  const { time, lan, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(100);
  lan.refuseJoin = "ENOBUFS";
  first.network.setLink("eth0", { running: false });
  await time.advance(10);
  first.network.setLink("eth0", { running: true });
  await time.advance(60_000);
  assert.deepEqual(
    routerOf(first).faults.map(({ cause, subject }) => `${cause} ${subject}`),
    ["socket eth0"],
  );
  assert.ok(first.reports.some(({ message }) => message.includes("joined again: ENOBUFS")));
  lan.refuseJoin = undefined;
  first.network.setLink("eth0", { running: false });
  first.network.setLink("eth0", { running: true });
  await time.advance(5_000);
  assert.equal(routerOf(first).state, "active");
});

test("tries get rarer while the host goes on refusing", async () => {
  const { time, first } = lab();
  first.network.refuse = () => "EINVAL";
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(600_000);
  const tries = counted(first.network.batches, "install addresses");
  assert.ok(tries > 5 && tries < 12, `${tries} tries`);
});

test("an address that could not be removed is not forgotten", async () => {
  const { time, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  first.network.refuseRemoval = "ENOMEM";
  first.network.setLink("eth0", { running: false });
  await time.advance(10);
  assert.equal(routerOf(first).state, "fault");
  assert.equal(counted(first.network.batches, "remove addresses"), 3);
  assert.ok(first.reports.some(({ message }) => message.startsWith("not removed: ENOMEM")));
  first.network.refuseRemoval = undefined;
  await time.advance(2_000);
  assert.deepEqual(first.network.present, ["192.0.2.1/24"]);
});

test("an interface that changes its index at once takes the addresses along", async () => {
  const { time, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  // As after an overrun: the first that is heard is the end.
  first.network.removeLink("eth0");
  first.network.addLink("eth0", { index: 77 });
  first.network.addAddress("eth0", "192.0.2.1/24");
  const frames = first.frames.length;
  await time.advance(100);
  assert.equal(routerOf(first).state, "active");
  assert.equal(first.network.find("192.0.2.100")?.interfaceIndex, 77);
  assert.equal(first.frames[frames]?.interfaceIndex, 77);
});

test("an address on an interface that is not tracked follows it", async () => {
  const { time, first } = lab();
  const away = address("198.51.100.9/24", { interface: "eth9", noTrack: true });
  const addresses = [address("192.0.2.100/24"), away];
  await first.node.configure(config([instance("VI_1", {}, { addresses })]));
  await time.advance(4_000);
  assert.equal(routerOf(first).state, "active");
  assert.equal(first.network.find("198.51.100.9"), undefined);
  first.network.addLink("eth9");
  await time.advance(10);
  assert.ok(first.network.find("198.51.100.9"));
  first.network.removeLink("eth9");
  await time.advance(10);
  first.network.addLink("eth9", { index: 99 });
  await time.advance(10);
  assert.equal(first.network.find("198.51.100.9")?.interfaceIndex, 99);
});

test("an address that is taken away while it is being installed is installed again", async () => {
  const { time, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  first.network.hold = true;
  await time.advance(4_000);
  const added = first.network.addAddress("eth0", "192.0.2.100/24", true);
  first.network.dropAddress(added);
  first.network.answer();
  await time.advance(10);
  assert.equal(counted(first.network.batches, "install addresses"), 2);
  assert.ok(first.network.find("192.0.2.100"));
});

test("who loses its source address resigns from it", async () => {
  const { time, lan, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  const own = first.network.find("192.0.2.1");
  assert.ok(own);
  first.network.dropAddress(own);
  await time.advance(10);
  assert.equal(routerOf(first).state, "fault");
  assert.deepEqual(
    lan.sent.slice(-2).map(({ priority }) => priority),
    [0, 0],
  );
});

test("a packet that does not leave counts for its own router only", async () => {
  const { time, lan, first } = lab();
  const other = instance("VI_2", { vrid: 52 }, { addresses: [address("192.0.2.110/24")] });
  const slow = { advertisementInterval: instance("VI").router.advertisementInterval };
  await first.node.configure(config([instance("VI_1", slow), other]));
  await time.advance(4_000);
  lan.cut.add("a");
  await time.advance(3_000);
  const errors = ["VI_1", "VI_2"].map((name) => routerOf(first, name).counters.sendErrors);
  assert.deepEqual(errors, [3, 3]);
});

const refusals = ({ reports }: ReturnType<typeof lab>["first"]): readonly string[] =>
  reports.map(({ message }) => message).filter((message) => message.includes("not sent"));

test("a packet that does not leave is told of with what may be wrong", async () => {
  const { time, lan, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  lan.cut.add("a");
  await time.advance(3_000);
  assert.deepEqual(refusals(first), ["a packet was not sent: its interface is down (ENETDOWN)"]);
});

test("that nothing leaves over a link that is down is not told beside it", async () => {
  const { time, lan, first } = lab();
  await first.node.configure(config([instance("VI_1")]));
  await time.advance(4_000);
  lan.cut.add("a");
  first.network.setLink("eth0", { up: false });
  await time.advance(3_000);
  assert.equal(routerOf(first).state, "fault");
  assert.ok(routerOf(first).counters.sendErrors > 0, "its resignations");
  assert.deepEqual(refusals(first), []);
});

test("a stream of interfaces that nobody uses has no router look at its host", async () => {
  const { time, first } = lab();
  const members = ["VI_1", "VI_2"];
  const group = {
    position: { file: "", line: 1, column: 1 },
    name: "G",
    members,
    trackInterfaces: [],
    trackers: [],
    notify: NO_NOTIFY,
    weightedTracking: false,
  };
  const instances = members.map((name, at) =>
    instance(name, { vrid: 51 + at, inSyncGroup: true }, { syncGroup: "G" }),
  );
  await first.node.configure(config(instances, { syncGroups: [group] }));
  let looks = 0;
  const { addresses } = first.network;
  first.network.addresses = (index) => {
    looks += 1;
    return addresses.call(first.network, index);
  };
  for (let each = 0; each < 100; each += 1) first.network.addLink(`veth${each}`);
  await time.advance(10);
  assert.equal(looks, 0);
});
