import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { InstanceConfig } from "../../agent/config/config.ts";
import type { IpAddress } from "../../agent/core/address.ts";
import type { VirtualRouter } from "../../agent/core/vrrp/virtual-router.ts";
import { FakeLan } from "./fake-lan.ts";
import type { TestHost } from "./fixtures.ts";
import { config, host, instance, routerOf } from "./fixtures.ts";
import { VirtualTime } from "./virtual-time.ts";

const GROUP = "224.0.0.18" as IpAddress;

const over = (router: Partial<VirtualRouter> = {}, change: Partial<InstanceConfig> = {}) =>
  instance("VI_1", router, {
    transport: { mode: "multicast", group: GROUP, alsoOn: ["eth1"] },
    ...change,
  });

/** Two hosts on two segments. On the second one the order of their addresses is the other way round. */
function twoSegments() {
  const time = new VirtualTime();
  const lan = new FakeLan(() => time.now);
  lan.apart = true;
  const low = host("low", time, lan, "192.0.2.1/24");
  const high = host("high", time, lan, "192.0.2.2/24");
  for (const one of [low, high]) one.network.addLink("eth1");
  low.network.addAddress("eth1", "198.51.100.9/24");
  high.network.addAddress("eth1", "198.51.100.2/24");
  const [first, second] = [1, 2].map((nth) => low.network.linkByName(`eth${nth - 1}`)?.index);
  const cut = (one: string, index: number | undefined) => lan.cut.add(`${one} ${index}`);
  const states = () => [low, high].map((one) => routerOf(one).state);
  const start = async (a: InstanceConfig, b: InstanceConfig) => {
    await low.node.configure(config([a]));
    await high.node.configure(config([b]));
    await time.advance(10_000);
  };
  return { time, lan, low, high, first, second, cut, states, start };
}

const alarmsOf = (one: TestHost) => one.reports.filter(({ kind }) => kind === "alarm");

describe("advertisements over a second segment", () => {
  test("the same, with the source address of the first one behind the others", async () => {
    const { lan, low, high, start, second } = twoSegments();
    await start(over({ priority: 150 }), over());
    const packets = lan.sent.filter(({ from }) => from === "low").slice(-2);
    assert.deepEqual(
      packets.map(({ bytes }) => [
        [...bytes.subarray(12, 16)].join("."),
        bytes[8],
        bytes[23],
        [...bytes.subarray(-4)].join("."),
      ]),
      [
        ["192.0.2.1", 255, 1, "192.0.2.100"],
        ["198.51.100.9", 255, 2, "192.0.2.1"],
      ],
    );
    // Once heard over both, it is one peer.
    assert.deepEqual(
      routerOf(high).peers.map((peer) => [peer.address, peer.sameAddresses]),
      [["192.0.2.1", true]],
    );
    assert.deepEqual([...alarmsOf(low), ...alarmsOf(high)], []);
    assert.deepEqual(
      lan.opened.filter(({ interfaceIndex }) => interfaceIndex === second).map(({ ttl }) => ttl),
      [255, 255],
    );
  });

  test("a first segment that fails splits nobody, and a resignation comes over the second", async () => {
    const { time, low, high, cut, first, states, start } = twoSegments();
    await start(over({ priority: 150 }), over());
    cut("low", first);
    await time.advance(20_000);
    assert.deepEqual(states(), ["active", "backup"]);
    await low.node.stop();
    await time.advance(700);
    assert.equal(routerOf(high).lastTransition?.reason, "active-resigned");
  });

  for (const [name, healed] of [
    ["both segments", ["first", "second"]],
    ["the first one", ["first"]],
    ["the second one", ["second"]],
  ] as const) {
    test(`equal priorities, both active: whatever heals (${name}), it is the same one`, async () => {
      const { time, lan, cut, first, second, states, start } = twoSegments();
      cut("low", first);
      cut("low", second);
      await start(over(), over());
      assert.deepEqual(states(), ["active", "active"]);
      const index = { first, second };
      for (const segment of healed) lan.cut.delete(`low ${index[segment]}`);
      await time.advance(3_000);
      assert.deepEqual(states(), ["backup", "active"]);
    });
  }

  test("without its own interface a node does not go on over the others", async () => {
    const { time, low, high, start, states } = twoSegments();
    await start(over({ priority: 150 }), over());
    low.network.setLink("eth0", { running: false });
    await time.advance(700);
    assert.deepEqual(states(), ["fault", "active"]);
    assert.equal(routerOf(high).lastTransition?.reason, "active-resigned");
  });

  test("a second interface that fails is told of, and no fault; so is its return", async () => {
    const { time, lan, low, states, start, second } = twoSegments();
    await start(over({ priority: 150 }), over());
    low.network.setLink("eth1", { running: false });
    await time.advance(3_000);
    assert.ok(lan.closed.some(({ interfaceIndex }) => interfaceIndex === second));
    low.network.setLink("eth1", { running: true });
    await time.advance(3_000);
    assert.deepEqual(states(), ["active", "backup"]);
    assert.deepEqual(
      alarmsOf(low).map(({ level, message }) => `${level} ${message}`),
      [
        "warn no advertisements travel over eth1: it is down",
        "info advertisements travel over eth1 again",
      ],
    );
    assert.equal(routerOf(low).counters.sendErrors, 0);
  });

  test("an interface that is not there, or has no address, is waited for", async () => {
    const { time, lan, low, second } = twoSegments();
    const missing = over(
      {},
      { transport: { ...over().transport, alsoOn: ["eth1", "eth7"] } as never },
    );
    low.network.dropAddress(low.network.addAddress("eth1", "198.51.100.9/24"));
    await low.node.configure(config([missing]));
    await time.advance(5_000);
    assert.deepEqual(
      alarmsOf(low).map(({ message }) => message),
      ["no advertisements travel over eth7: there is no such interface"],
    );
    assert.ok(lan.opened.some(({ interfaceIndex }) => interfaceIndex === second));
  });

  test("two interfaces on one segment: a node does not hear itself, nor take its peer for two", async () => {
    const { time, lan, low, high, states, start } = twoSegments();
    lan.apart = false;
    await start(over({ priority: 150 }), over());
    await time.advance(10_000);
    assert.deepEqual(states(), ["active", "backup"]);
    assert.equal(routerOf(low).counters.advertisementsReceived, 0);
    assert.ok(routerOf(high).peers.some(({ address }) => address === "192.0.2.1"));
  });

  test("a reload that takes the interface away, or adds it, is no interruption", async () => {
    const { time, lan, low, states, start, second } = twoSegments();
    await start(over({ priority: 150 }), over());
    await low.node.configure(config([instance("VI_1", { priority: 150 })]));
    await time.advance(5_000);
    assert.equal(lan.closed.filter(({ interfaceIndex }) => interfaceIndex === second).length, 1);
    await low.node.configure(config([over({ priority: 150 })]));
    const mark = lan.sent.length;
    await time.advance(5_000);
    assert.deepEqual(states(), ["active", "backup"]);
    const sources = lan.sent.slice(mark).map(({ bytes }) => [...bytes.subarray(12, 16)].join("."));
    assert.deepEqual([...new Set(sources)], ["192.0.2.1", "198.51.100.9"]);
  });
});
