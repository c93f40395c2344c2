import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InstanceConfig } from "../../agent/config/config.ts";
import { seconds } from "../../agent/core/time.ts";
import { FakeLan } from "./fake-lan.ts";
import type { TestHost } from "./fixtures.ts";
import { address, config, host, instance, routerOf } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

const ANNOUNCING = {
  repeat: 2,
  delay: seconds(0),
  refreshInterval: seconds(0),
  refreshRepeat: 1,
  lowerPriorityRepeat: 3,
  lowerPriorityDelay: seconds(0),
};

const ours = (change: Partial<InstanceConfig> = {}) =>
  instance("VI_1", { priority: 150, announcement: ANNOUNCING }, change);

/** Ours is active; then another one starts on its segment. */
async function against(theirs: InstanceConfig, own: InstanceConfig = ours()) {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const first = host("a", time, lan, "192.0.2.1/24");
  const second = host("b", time, lan, "192.0.2.2/24");
  await first.node.configure(config([own]));
  await time.advance(5_000);
  assert.equal(routerOf(first).state, "active");
  const before = first.reports.length;
  const framesBefore = first.frames.length;
  await second.node.configure(config([theirs]));
  await time.advance(10_000);
  const told = () =>
    first.reports
      .slice(before)
      .filter(({ kind }) => kind === "alarm")
      .map(({ subject, message }) => `${subject}: ${message}`);
  const announced = () => first.frames.length - framesBefore;
  return { time, lan, first, second, told, announced };
}

const alarmsOf = (one: TestHost) => routerOf(one).counters.alarms;

const OTHER_LIST = { addresses: [address("198.51.100.7/24"), address("198.51.100.8/24")] };

describe("another virtual router with our VRID", () => {
  test("refused for its version, it is told with its addresses, and again after an hour", async () => {
    const { time, first, told, announced } = await against(
      instance("VI_1", { version: 2 }, OTHER_LIST),
    );
    const text =
      "VI_1: another virtual router uses VRID 51 on eth0: 192.0.2.2 advertises 198.51.100.7, " +
      "198.51.100.8. Give one of the two another virtual_router_id";
    assert.deepEqual(told(), [text]);
    assert.deepEqual(alarmsOf(first), { "vrid-clash": 1 });
    assert.ok((routerOf(first).counters.dropped.version ?? 0) >= 5);
    assert.equal(announced(), 0, "it is not about our addresses");
    await time.advance(3_600_000);
    assert.deepEqual(told(), [text, text]);
  });

  test("heard as a peer, it is told once", async () => {
    const { first, told } = await against(instance("VI_1", { priority: 200 }, OTHER_LIST));
    assert.equal(told().length, 1);
    assert.match(told()[0] ?? "", /another virtual router uses VRID 51 .* advertises 198\.51/);
    assert.deepEqual(alarmsOf(first), { "vrid-clash": 1 });
  });

  test("refused for its list, as was asked for", async () => {
    const { first, told } = await against(
      instance("VI_1", { priority: 200 }, OTHER_LIST),
      ours({ addressListMismatch: "drop" }),
    );
    assert.equal(told().length, 1);
    assert.match(told()[0] ?? "", /another virtual router uses VRID 51/);
    assert.equal(routerOf(first).state, "active");
  });
});

describe("a node that claims our addresses in vain", () => {
  const claims: Readonly<Record<string, readonly [InstanceConfig, InstanceConfig, RegExp]>> = {
    "version-mismatch": [
      instance("VI_1", { version: 2 }),
      ours(),
      /192\.0\.2\.2 claims the same addresses in VRRP version 2, this router in version 3/,
    ],
    "authentication-mismatch": [
      instance("VI_1", { version: 2 }, { authentication: { kind: "pass", password: "other" } }),
      {
        ...ours({ authentication: { kind: "pass", password: "ours" } }),
        router: { ...ours().router, version: 2 },
      },
      /its authentication is not this router's/,
    ],
    "address-list-mismatch": [
      instance(
        "VI_1",
        { priority: 200 },
        { addresses: [address("192.0.2.100/24"), address("192.0.2.101/24")] },
      ),
      ours({
        addressListMismatch: "drop",
        addresses: [address("192.0.2.100/24"), address("192.0.2.102/24")],
      }),
      /other addresses than this router: 192\.0\.2\.101 more, not 192\.0\.2\.102\. Make/,
    ],
    "interval-mismatch": [
      instance("VI_1", { version: 2, advertisementInterval: seconds(2) }),
      { ...ours(), router: { ...ours().router, version: 2 } },
      /advertises at another interval/,
    ],
  };
  for (const [alarm, [theirs, own, text]] of Object.entries(claims)) {
    test(`${alarm}: is told once, and announced against when it has ended`, async () => {
      const { time, first, second, told, announced } = await against(theirs, own);
      assert.equal(told().length, 1, told().join("\n"));
      assert.match(told()[0] ?? "", text);
      assert.deepEqual(alarmsOf(first), { [alarm]: 1 });
      assert.equal(announced(), 0, "both would draw the hosts to and fro");
      await second.node.stop();
      await time.advance(20_000);
      assert.equal(announced(), 3 * own.addresses.length);
      assert.equal(told().length, 1);
    });
  }
});

test("4,096 senders are told of eight times, and not each hour by each", async () => {
  const { lan, told, first } = await against(instance("VI_1", { version: 2 }, OTHER_LIST));
  const sample = lan.sent.findLast(({ from }) => from === "b")?.bytes;
  assert.ok(sample);
  for (let each = 0; each < 4_096; each += 1) {
    const packet = sample.slice();
    packet[14] = 3 + (each >> 8);
    packet[15] = each & 255;
    lan.inject(ipv4Checked(packet));
  }
  assert.ok(told().length <= 9, `${told().length} lines`);
  assert.equal(alarmsOf(first)["vrid-clash"], 4_097);
});

function ipv4Checked(packet: Uint8Array): Uint8Array {
  packet[10] = 0;
  packet[11] = 0;
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  packet[10] = (~sum >> 8) & 255;
  packet[11] = ~sum & 255;
  return packet;
}

test("rules of the gate that somebody removed: an alarm, counted on whom it concerns", async () => {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  const first = host("a", time, lan, "192.0.2.1/24");
  const fenced = instance("VI_1", { fenced: true });
  const other = instance("VI_2", { vrid: 52 }, { addresses: [address("192.0.2.101/24")] });
  await first.node.configure(config([fenced, other]));
  await time.advance(5_000);
  first.gate.tell({ kind: "restored" });
  const [told] = first.reports.filter(({ detail }) => detail["alarm"] === "gate-restored");
  assert.equal(told?.subject, "gate");
  assert.match(told?.message ?? "", /nft flush ruleset/);
  assert.deepEqual(routerOf(first, "VI_1").counters.alarms, { "gate-restored": 1 });
  assert.deepEqual(routerOf(first, "VI_2").counters.alarms, {});
});
